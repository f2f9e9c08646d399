import type { Subprocess } from "bun";
import { openFdChannel, sendFds } from "./fd-channel.ts";
import type { Libc } from "./libc.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

type Done = Extract<FromWorker, { type: "done" }>;
type Ask = Extract<ToWorker, { id: number }>;
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** The parent's end of one worker. */
export class WorkerProcess {
  readonly exited: Promise<unknown>;
  private readonly child: Subprocess;
  private readonly channel: number;
  private readonly waiting = new Map<number, (answer: Done | undefined) => void>();
  private lastId = 0;
  private alive = true;

  constructor(
    private readonly libc: Libc,
    command: string[],
    onMessage: (message: Exclude<FromWorker, Done>) => void,
  ) {
    const channel = openFdChannel(libc);
    this.channel = channel.own;
    this.child = Bun.spawn(command, {
      stdio: ["ignore", "inherit", "inherit", channel.child],
      ipc: (message: FromWorker) => {
        if (message.type === "done") this.settle(message.id, message);
        else onMessage(message);
      },
    });
    libc.close(channel.child);
    this.exited = this.child.exited.then(() => this.gone());
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Descriptors that the next message speaks of. */
  pass(fds: number[]): void {
    if (!this.alive) return;
    try {
      sendFds(this.libc, this.channel, fds);
    } catch {
      // Its end of the channel is closed: it is about to be seen as gone.
    }
  }

  tell(message: ToWorker): void {
    if (!this.alive) return;
    try {
      this.child.send(message);
    } catch {
      // Its channel is closed: it is about to be seen as gone.
    }
  }

  /** Resolves when the worker has done it, or is gone: then a successor will get the same state. */
  ask(message: WithoutId<Ask>): Promise<Done | undefined> {
    if (!this.alive) return Promise.resolve(undefined);
    const id = ++this.lastId;
    const { promise, resolve } = Promise.withResolvers<Done | undefined>();
    this.waiting.set(id, resolve);
    this.tell({ ...message, id } as Ask);
    return promise;
  }

  kill(): void {
    if (this.alive) this.child.kill("SIGKILL");
  }

  private settle(id: number, answer: Done | undefined): void {
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  }

  private gone(): void {
    this.alive = false;
    this.libc.close(this.channel);
    for (const id of [...this.waiting.keys()]) this.settle(id, undefined);
  }
}
