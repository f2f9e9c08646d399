/**
 * One-off commands: a WebSocket at `GET /api/v1/apps/:app/run/socket` (permission `run`). It works alike over TCP
 * (`ws://box:8080/api/v1/…`, `Authorization: Bearer …`) and over control.sock, where Bun's client takes
 * `new WebSocket("ws+unix://" + socketPath + ":/api/v1/apps/blog/run/socket")`.
 *
 * Text frames are JSON messages, binary frames are bytes of the command.
 *
 *   client → box
 *     text    {"type":"start","command":["bin","arg"],"env":{"K":"V"},"tty":true,"size":{"columns":80,"rows":24}}
 *             first of all; env, tty (false) and size may be left out
 *     binary  bytes for stdin
 *     text    {"type":"stdin_end"}                          stdin has ended
 *     text    {"type":"resize","columns":120,"rows":40}     only with tty; no engine side takes it yet: ignored
 *   box → client
 *     binary  first byte 1 = stdout, 2 = stderr (a tty has stdout only), then the command's bytes
 *     text    {"type":"exit","exit_code":0}                 the command has ended; the box closes with 1000
 *     text    {"type":"error","code":"…","detail":"…","hint":"…"}   it did not run; the box closes with 1000
 *     text    {"type":"stdin_taken","bytes":65536}          so many bytes of stdin, counted from the start, were read
 *
 * Whoever sends a file as stdin keeps no more than 1 MiB ahead of stdin_taken; over 8 MiB ahead the box hangs up.
 *
 * Refusals before the upgrade (401, 403, 404) are problem documents. A client that leaves ends the command. Without
 * interest in stdin, `POST /api/v1/apps/:app/run` answers the same as NDJSON.
 */
import type { Static } from "@sinclair/typebox";
import { DiploError } from "../errors.ts";
import type { Actor } from "../operation.ts";
import type { Parts } from "../product/parts.ts";
import { readInput } from "../product/read-input.ts";
import type { HandRoute } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";
import { problemOf } from "./problem.ts";
import { auditRun, RunRequest, terminalEnv } from "./run-request.ts";
import type { Socket, Sockets } from "./sockets.ts";
import { StdinQueue } from "./stdin-queue.ts";

type Ws = Bun.ServerWebSocket<Socket>;

export function runSocketRoute(sockets: Sockets, stopping: AbortSignal): HandRoute {
  return {
    method: "GET",
    path: `${API_ROOT}/apps/:app/run/socket`,
    permission: "run",
    reason: "a WebSocket: stdin and output at the same time",
    handle: async ({ request, params, parts, actor }) => {
      const app = params.app as string;
      await parts.apps.get(app);
      return sockets.upgrade(request, new RunSocket(app, parts, actor as Actor, stopping));
    },
  };
}

/** One command of one client. */
class RunSocket implements Socket {
  readonly #left = new AbortController();
  #stdin: StdinQueue | null = null;

  constructor(
    private readonly app: string,
    private readonly parts: Parts,
    private readonly actor: Actor,
    private readonly stopping: AbortSignal,
  ) {}

  open(): void {}

  message(ws: Ws, message: string | Buffer): void {
    try {
      if (typeof message === "string") this.#told(ws, parseFrame(message));
      // Bun may use the buffer again for the next frame.
      else this.#started().push(Uint8Array.from(message));
    } catch (error) {
      this.#fail(ws, error);
    }
  }

  close(): void {
    this.#left.abort();
    this.#stdin?.end();
  }

  #told(ws: Ws, { type, ...rest }: Record<string, unknown>): void {
    switch (type) {
      case "start":
        if (this.#stdin !== null) throw misuse("start comes once");
        void this.#run(ws, readInput(RunRequest, rest)).catch((error) => this.#fail(ws, error));
        return;
      case "stdin_end":
        return this.#started().end();
      case "resize":
        return;
      default:
        throw misuse("type is start, stdin_end or resize");
    }
  }

  async #run(ws: Ws, input: Static<typeof RunRequest>): Promise<void> {
    this.#stdin = new StdinQueue((bytes) => tell(ws, { type: "stdin_taken", bytes }));
    auditRun(this.parts, this.actor, this.app, input.command);
    const { exit_code } = await this.parts.instances.runOnce(this.app, {
      command: input.command,
      env: { ...terminalEnv(input), ...input.env },
      tty: input.tty ?? false,
      stdin: this.#stdin.stream,
      onOutput: (chunk, stream) => sendOutput(ws, chunk, stream),
      signal: AbortSignal.any([this.#left.signal, this.stopping]),
    });
    tell(ws, { type: "exit", exit_code });
    ws.close(1000);
  }

  #started(): StdinQueue {
    if (this.#stdin === null) throw misuse("start comes first");
    return this.#stdin;
  }

  #fail(ws: Ws, error: unknown): void {
    const { code, detail, hint } = problemOf(error, "");
    tell(ws, { type: "error", code, detail, hint });
    ws.close(1000);
    this.#left.abort();
  }
}

function tell(ws: Ws, message: object): void {
  ws.sendText(JSON.stringify(message));
}

function sendOutput(ws: Ws, chunk: Uint8Array, stream: "stdout" | "stderr"): void {
  const frame = new Uint8Array(chunk.length + 1);
  frame[0] = stream === "stdout" ? 1 : 2;
  frame.set(chunk, 1);
  ws.sendBinary(frame);
}

function parseFrame(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, without the parser's words: they quote the text.
  }
  throw misuse("text frames are JSON objects");
}

function misuse(message: string): DiploError {
  return new DiploError("bad_frame", message, { detail: `The protocol was not kept: ${message}.` });
}
