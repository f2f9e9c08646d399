import { createLog } from "../log.ts";
import { Certificates } from "./certificates.ts";
import { Engine } from "./engine.ts";
import { receiveFds } from "./fd-channel.ts";
import { openLibc } from "./libc.ts";
import { Listeners, type Wanted } from "./listeners.ts";
import { CHANNEL_FD, type FromWorker, type ToWorker } from "./worker-messages.ts";

type Start = Extract<ToWorker, { type: "start" }>;

/** One worker: takes connections from listening sockets that its parent owns, and orders from its parent. */
class Worker {
  private readonly libc = openLibc();
  private readonly engine: Engine;
  private readonly listeners: Listeners;
  private certificates = Certificates.none;
  private turn: Promise<void> = Promise.resolve();

  constructor(start: Start) {
    this.engine = new Engine({
      limits: start.limits,
      directory: start.directory,
      log: createLog("info").with({ worker: process.pid }),
      wake: (route) => say({ type: "wake", route }),
    });
    this.listeners = new Listeners(this.engine, () => this.certificates);
  }

  /** In the order they came, one at a time. */
  handle(message: ToWorker): void {
    this.turn = this.turn.then(() => this.obey(message));
  }

  private async obey(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "start":
        return;
      case "apply": {
        const { table, open, id } = message;
        // The table first: a connection must not meet a listener whose route is not there yet.
        this.engine.swap(this.engine.compile(table), table.settings);
        this.listen(open);
        this.listeners.closeUnwanted(table);
        return say({ type: "done", id });
      }
      case "listen":
        this.listen(message.open);
        return say({ type: "done", id: message.id });
      case "certificates":
        this.certificates = await Certificates.load(message.set);
        return say({ type: "done", id: message.id });
      case "failing":
        return this.engine.targets.setFailing(new Set(message.instances));
      case "report":
        return say({ type: "done", id: message.id, report: this.engine.report() });
      case "metrics":
        return say({ type: "done", id: message.id, metrics: this.engine.takeMetrics() });
      case "drain":
        // Not waited for: the parent may ask for reports meanwhile.
        void this.drain(message.gentle);
        return say({ type: "done", id: message.id });
    }
  }

  private listen(open: Wanted[]): void {
    const fds = receiveFds(this.libc, CHANNEL_FD, open.length);
    for (const [i, wanted] of open.entries()) this.listeners.adopt(wanted, fds[i]!);
  }

  async drain(gentle: boolean): Promise<void> {
    this.listeners.stop();
    await this.engine.drain(gentle);
    say({ type: "last_metrics", metrics: this.engine.takeMetrics() });
    process.disconnect?.();
    process.exit(0);
  }
}

/** A process of its own under `diplo proxy`. Without its parent it finishes what it has and ends. */
export function runWorker(): void {
  let worker: Worker | undefined;
  process.on("message", (message: ToWorker) => {
    if (message.type === "start") worker = new Worker(message);
    else worker?.handle(message);
  });
  process.on("disconnect", () => void (worker?.drain(false) ?? process.exit(0)));
  // Ctrl-C reaches the whole group; the parent says when to stop.
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  process.on("SIGTERM", () => {});
}

function say(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
