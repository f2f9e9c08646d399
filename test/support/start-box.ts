import { expect } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { destroyBox, readBoxId } from "../../src/cli/destroy-box.ts";
import type { DockerRuntime } from "../../src/engine/runtime/docker/docker-runtime.ts";
import { connectDocker } from "../../src/engine/runtime/docker/docker-runtime.ts";
import { createLog } from "../../src/log.ts";
import { freePorts } from "./free-ports.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const CRASHING = join(import.meta.dir, "crash-serve.ts");

export interface BoxOptions {
  /** `<job kind>:<step>`: SIGKILL after that step's side effects and before its commit. */
  crashAt?: string;
  flags?: string[];
  env?: Record<string, string>;
  /** A directory that is there already; removed at the end like any other. */
  data?: string;
  /** The built executable instead of the sources. */
  executable?: string;
}

export interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
}

/** A real `diplo serve` on a throwaway directory and free ports, with the real engine; cleans up after itself. */
export class Box {
  private child: Bun.Subprocess | null = null;
  private env: Record<string, string> = {};
  private executable: string | undefined;

  private constructor(
    readonly data: string,
    readonly controlPort: number,
    readonly httpPort: number,
    private readonly appPorts: string,
  ) {}

  static async start(options: BoxOptions = {}): Promise<Box> {
    // Below a short path: a socket's path holds 107 bytes.
    const data = options.data ?? (await mkdtemp(join(tmpdir(), "dbox-")));
    const ports = freePorts(43);
    const first = ports[2] as number;
    const box = new Box(data, ports[0] as number, ports[1] as number, `${first}-${first + 40}`);
    box.env = options.env ?? {};
    box.executable = options.executable;
    try {
      await box.serve(options);
    } catch (error) {
      await box[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return box;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Starts the control plane (again) on the same directory; answers when it does. */
  async serve({ crashAt, flags = [] }: BoxOptions = {}): Promise<void> {
    const argv = [
      "serve",
      ...[
        "--data",
        this.data,
        "--control",
        `127.0.0.1:${this.controlPort}`,
        "--http",
        `127.0.0.1:${this.httpPort}`,
      ],
      ...["--https", "127.0.0.1:1", "--app-ports", this.appPorts, ...flags],
    ];
    const log = Bun.file(join(this.data, "serve.log"));
    this.child = Bun.spawn([...this.command(crashAt), ...argv], {
      env: { ...process.env, ...this.env, TEST_CRASH_AT: crashAt ?? "" },
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    await this.until("the control plane answers", async () => {
      if (this.child?.exitCode !== null) throw new Error(`serve ended: ${await log.text()}`);
      return (await this.api("GET", "/healthz")).status === 200;
    });
  }

  private command(crashAt: string | undefined): string[] {
    if (crashAt) return [process.execPath, CRASHING];
    return this.executable ? [this.executable] : [process.execPath, MAIN];
  }

  /** The API through control.sock, as the owner. */
  async api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`http://box/api/v1${path}`, {
      method,
      unix: join(this.data, "control.sock"),
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return {
      status: response.status,
      body: (isJson ? JSON.parse(text) : text) as T,
      headers: response.headers,
    };
  }

  /** Deploys and answers the body; fails the test unless it went live. */
  async deploy(
    input: Record<string, unknown>,
  ): Promise<{ name: string; port: number; deployment_id: string; release: number }> {
    const { status, body } = await this.api("POST", "/deploy", input);
    expect({ status, body }).toMatchObject({ status: 201 });
    return body as { name: string; port: number; deployment_id: string; release: number };
  }

  /** The deployment when it has ended. */
  async ended(
    id: string,
    withinMs = 60_000,
  ): Promise<{ status: string; error: { code: string; evidence: string[] } | null; release: number }> {
    type Body = { status: string; error: { code: string; evidence: string[] } | null; release: number };
    let body: Body | undefined;
    await this.until(
      `deployment ${id} ends`,
      async () => {
        body = (await this.api<Body>("GET", `/deployments/${id}`)).body;
        return ["success", "failed", "cancelled", "superseded"].includes(body.status);
      },
      withinMs,
    );
    return body as Body;
  }

  /** Asks an app by its own port. */
  app(port: number, path = "/", init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal: AbortSignal.timeout(15_000) });
  }

  /** Asks an app by its host name. */
  host(name: string, path = "/", init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.httpPort}${path}`, {
      ...init,
      headers: { ...init.headers, host: `${name}.local` },
    });
  }

  async until(what: string, condition: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (let last: unknown; ; ) {
      try {
        if (await condition()) return;
        last = undefined;
      } catch (error) {
        if (String(error).includes("serve ended")) throw error;
        last = error;
      }
      if (Date.now() > deadline)
        throw new Error(`waited ${withinMs} ms in vain until ${what}${last ? `: ${last}` : ""}`);
      await Bun.sleep(20);
    }
  }

  /** No job is open any more, so everything that was to be cleaned up is. */
  settled(): Promise<void> {
    const open = async (status: string) =>
      (await this.api<unknown[]>("GET", `/jobs?status=${status}`)).body.length;
    return this.until(
      "every job has ended",
      async () => (await open("queued")) + (await open("running")) === 0,
      90_000,
    );
  }

  /** Resolves when the control plane is dead. */
  async died(): Promise<void> {
    await this.child?.exited;
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    this.child?.kill(signal);
    await this.child?.exited;
  }

  log(): Promise<string> {
    return Bun.file(join(this.data, "serve.log")).text();
  }

  /** The engine as this box sees it: its own things only. */
  async runtime(): Promise<DockerRuntime> {
    return connectDocker({
      address: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock",
      boxId: readBoxId(this.data),
      log: createLog("error"),
    });
  }

  /** Ends both processes and removes everything the box made, volumes included. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child?.exitCode === null && this.child.signalCode === null) await this.kill("SIGTERM");
    await this.stopProxy();
    const runtime = await this.runtime();
    await destroyBox(runtime, true);
    await runtime.close();
    await rm(this.data, { recursive: true, force: true });
  }

  private async stopProxy(): Promise<void> {
    const unix = join(this.data, "proxy", "proxy.sock");
    await fetch("http://proxy/stop", { method: "POST", unix }).catch(() => {});
    await this.until(
      "the proxy is gone",
      () =>
        fetch("http://proxy/state", { unix }).then(
          () => false,
          () => true,
        ),
      40_000,
    );
  }
}
