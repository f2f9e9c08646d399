import { DiploError } from "../errors.ts";
import { BoxError } from "./box-error.ts";
import type { CliContext } from "./cli-context.ts";
import type { CliIo } from "./cli-io.ts";
import type { Door } from "./door.ts";
import { pathSegment } from "./operation-request.ts";

interface Command {
  app: string;
  command: string[];
  env: Record<string, string>;
  tty: boolean;
}

type Told =
  | { type: "exit"; exit_code: number }
  | { type: "error"; code: string; detail: string; hint?: string }
  | { type: "stdin_taken"; bytes: number };

/** How far stdin may run ahead of the command (protocol: src/api/run-socket.ts). */
const AHEAD_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** Runs a command on the box with this process's stdin and stdout. Answers the command's exit code. */
export async function runCommand({ app, command, env, tty }: Command, context: CliContext): Promise<number> {
  const path = `/apps/${pathSegment(app)}/run/socket`;
  const { io } = context;
  const socket = await connected(path, context);
  const stdin = new StdinSender(socket);
  const ended = outcome(socket, stdin, io);
  socket.send(JSON.stringify({ type: "start", command, env, tty, size: io.size() }));
  using keys = io.keys(tty);
  using _resizing = io.onResize(() => tty && socket.send(JSON.stringify({ type: "resize", ...io.size() })));
  stdin.sendAll(keys);
  return await ended;
}

/** Opens the WebSocket. A refusal has its reason asked for once more over plain HTTP, since WebSockets hide it. */
async function connected(path: string, { box }: CliContext): Promise<WebSocket> {
  const socket = socketTo(box.door, path);
  socket.binaryType = "arraybuffer";
  const opened = await new Promise<boolean>((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = socket.onclose = () => resolve(false);
  });
  if (opened) return socket;
  await box.fetch({ method: "GET", path }).catch((error) => {
    if (!(error instanceof BoxError) || error.status !== 426) throw error;
  });
  throw new DiploError("run_refused", `${box.place} did not open the command's stream`);
}

function socketTo(door: Door, path: string): WebSocket {
  if (door.kind === "socket") return new WebSocket(`ws+unix://${door.path}:/api/v1${path}`);
  const url = new URL(`/api/v1${path}`, door.url.replace(/^http/, "ws"));
  const headers: Record<string, string> = door.token ? { authorization: `Bearer ${door.token}` } : {};
  // Bun takes headers where the DOM's types know protocols only.
  return new WebSocket(url, { headers } as unknown as string[]);
}

/** Settles when the command has ended, one way or another. */
function outcome(socket: WebSocket, stdin: StdinSender, io: CliIo): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") {
        print(new Uint8Array(data as ArrayBuffer), io);
        return;
      }
      const told = JSON.parse(data) as Told;
      if (told.type === "exit") resolve(told.exit_code);
      else if (told.type === "stdin_taken") stdin.taken(told.bytes);
      else reject(new DiploError(told.code, told.detail, { hint: told.hint }));
    };
    socket.onclose = () => {
      stdin.stop();
      reject(new DiploError("run_interrupted", "the connection ended before the command did"));
    };
  });
}

function print(bytes: Uint8Array, io: CliIo): void {
  if (bytes[0] === 2) io.errBytes(bytes.subarray(1));
  else io.outBytes(bytes.subarray(1));
}

/** Sends stdin no faster than the command reads it. */
class StdinSender {
  #sent = 0;
  #taken = 0;
  #proceed = () => {};

  constructor(private readonly socket: WebSocket) {}

  /** Until stdin or the command ends. */
  async sendAll(keys: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of keys)
      for (let at = 0; at < bytes.length; at += PIECE_BYTES)
        await this.#send(bytes.subarray(at, at + PIECE_BYTES));
    if (this.#open) this.socket.send(JSON.stringify({ type: "stdin_end" }));
  }

  taken(bytes: number): void {
    this.#taken = bytes;
    this.#proceed();
  }

  stop(): void {
    this.#proceed();
  }

  get #open(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    while (this.#open && this.#sent + bytes.length - this.#taken > AHEAD_BYTES)
      await new Promise<void>((resolve) => {
        this.#proceed = resolve;
      });
    if (!this.#open) return;
    this.#sent += bytes.length;
    this.socket.send(bytes);
  }
}
