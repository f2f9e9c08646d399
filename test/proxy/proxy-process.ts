import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Route } from "../../src/proxy/protocol.ts";
import { freePort } from "../support/free-ports.ts";
import { eventually } from "./harness.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** `diplo proxy` in a process of its own, so that its memory and descriptors can be told from the test's. */
export class ProxyProcess {
  readonly port = freePort();

  private constructor(
    private readonly child: Bun.Subprocess,
    private readonly data: string,
  ) {}

  /** `descriptors`: its hard limit. */
  static async start(routes: Route[], descriptors = 20_000): Promise<ProxyProcess> {
    const data = await mkdtemp(join(tmpdir(), "proxy-process-"));
    const argv = ["prlimit", `--nofile=${descriptors}:${descriptors}`, process.execPath, MAIN, "proxy"];
    const env = { ...process.env, DIPLO_DATA: data, DIPLO_PROXY_WORKERS: "1" };
    const child = Bun.spawn(argv, { env, stdout: "ignore", stderr: "ignore" });
    const started = new ProxyProcess(child, data);
    await eventually(() => started.put(routes), 20_000);
    return started;
  }

  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.child.pid}/fd`)).length;
  }

  /** User and system time so far. */
  async cpuMs(): Promise<number> {
    const fields = (await readFile(`/proc/${this.child.pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.exited;
    await rm(this.data, { recursive: true, force: true });
  }

  private async put(routes: Route[]): Promise<boolean> {
    const table = {
      version: 1,
      generation: 1,
      listeners: [{ host: "127.0.0.1", port: this.port, protocol: "http" }],
      routes,
      settings: { own_cookies: [], probe_token: "", trusted_proxies: [] },
    };
    const request = {
      unix: join(this.data, "proxy", "proxy.sock"),
      method: "PUT",
      body: JSON.stringify(table),
    };
    return fetch("http://proxy/routes", request).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
