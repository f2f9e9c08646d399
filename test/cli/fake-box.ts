import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/run-cli.ts";
import { readConfig } from "../../src/config.ts";
import { type FakeIo, fakeIo } from "./fake-io.ts";

export interface Asked {
  method: string;
  /** Path and query below /api/v1. */
  path: string;
  headers: Headers;
  body: unknown;
}

type Answer = (asked: Asked) => Response | Promise<Response>;

/** A real HTTP server on a unix socket (or a port), answering what a test says and remembering what it was asked. */
export class FakeBox implements Disposable {
  readonly asked: Asked[] = [];
  readonly data = mkdtempSync(join(tmpdir(), "diplo-cli-"));
  readonly server: Bun.Server<undefined>;

  constructor(answer: Answer, tcp = false) {
    const fetch = async (request: Request): Promise<Response> => {
      const { pathname, search } = new URL(request.url);
      const text = await request.text();
      const json = request.headers.get("content-type") === "application/json";
      const asked = {
        method: request.method,
        path: pathname.replace("/api/v1", "") + search,
        headers: request.headers,
        body: json ? JSON.parse(text) : text,
      };
      this.asked.push(asked);
      return answer(asked);
    };
    this.server = tcp
      ? Bun.serve({ port: 0, hostname: "127.0.0.1", fetch })
      : (Bun.serve({ unix: join(this.data, "control.sock"), fetch }) as unknown as Bun.Server<undefined>);
  }

  /** Runs a command line against this box by its socket. */
  run(command: string[], io: FakeIo = fakeIo(), env: Record<string, string> = {}): Promise<number> {
    return runCli(command, io, {
      config: (flags) => readConfig(flags, { DIPLO_DATA: this.data, XDG_CONFIG_HOME: this.data, ...env }),
    });
  }

  [Symbol.dispose](): void {
    this.server.stop(true);
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Answers of a box by `METHOD /path`; anything else is 404. */
export function routes(table: Record<string, unknown>): Answer {
  return ({ method, path }) => {
    const answer = table[`${method} ${path}`];
    if (answer === undefined) return problem(404, "app_not_found", "There is no such thing.");
    return answer instanceof Response ? (answer.clone() as Response) : Response.json(answer);
  };
}

export function problem(status: number, code: string, detail: string, more: object = {}): Response {
  return Response.json(
    { type: "about:blank", title: code, status, code, detail, ...more },
    { status, headers: { "content-type": "application/problem+json" } },
  );
}
