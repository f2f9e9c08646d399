import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { paths } from "../../../src/config.ts";
import type { ProxyState } from "../../../src/proxy/protocol.ts";
import { eventually, routeTo } from "../../proxy/harness.ts";
import { freePort } from "../../support/free-ports.ts";
import { family } from "./pinned.ts";

const CERTIFICATES = 3;
const START_MS = 20_000;

/** `diplo proxy` with two workers, and everything that happens to it in a long life. */
export class SoakPlane {
  readonly http = freePort();
  readonly https = freePort();
  private generation = 0;
  private versions = 0;
  private child: Bun.Subprocess | undefined;
  private readonly predecessors: Promise<number>[] = [];

  private constructor(
    private readonly data: string,
    private readonly apps: number[],
    private readonly pems: { certificate_pem: string; private_key_pem: string }[],
  ) {}

  static async start(apps: number[]): Promise<SoakPlane> {
    const data = await mkdtemp(join(tmpdir(), "proxy-soak-"));
    const pems = await Promise.all(Array.from({ length: CERTIFICATES }, (_, i) => selfSigned(data, i)));
    const plane = new SoakPlane(data, apps, pems);
    await plane.handOver();
    await plane.routes();
    await plane.certificates();
    return plane;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Sends traffic to the next app. */
  async routes(): Promise<void> {
    await this.put("/routes", this.table(++this.generation));
  }

  async certificates(): Promise<void> {
    const pem = this.pems[++this.generation % CERTIFICATES]!;
    const certificates = [{ names: ["localhost"], ...pem }];
    await this.put("/certificates", { version: 1, generation: this.generation, certificates });
  }

  /** Control dies in the middle of what it says: the table in force stays. */
  async abortedPush(): Promise<void> {
    const { generation } = await this.state();
    const body = JSON.stringify(this.table(this.generation + 1));
    const head = `PUT /routes HTTP/1.1\r\nHost: proxy\r\nContent-Length: ${body.length}\r\n\r\n`;
    const control = await Bun.connect({ unix: this.socket, socket: { data() {} } });
    control.write(head + body.slice(0, body.length / 2));
    await Bun.sleep(5);
    control.terminate();
    if ((await this.state()).generation !== generation) throw new Error("half a table is in force");
  }

  restartWorkers(): void {
    this.child?.kill("SIGHUP");
  }

  /** A new version of the executable takes over from the one that runs. */
  async handOver(): Promise<void> {
    const successor = Bun.spawn([process.execPath, join(import.meta.dir, "diplo-process.ts")], {
      env: {
        ...process.env,
        DIPLO_DATA: this.data,
        DIPLO_PROXY_WORKERS: "2",
        DIPLO_BENCH_VERSION: `soak ${++this.versions}`,
      },
      stdout: "inherit",
      stderr: "inherit",
    });
    if (this.child !== undefined) this.predecessors.push(this.child.exited);
    this.child = successor;
    const serves = async () => (await this.state().catch(() => undefined))?.pid === successor.pid;
    await eventually(serves, START_MS);
  }

  /** One that serves; never the one that waits for another's death, or the parent. */
  async killWorker(): Promise<void> {
    const [worker] = (await family(this.pid)).slice(1);
    if (worker !== undefined) process.kill(worker, "SIGKILL");
  }

  async state(): Promise<ProxyState> {
    return (await (await fetch("http://proxy/state", { unix: this.socket })).json()) as ProxyState;
  }

  /** Of all processes together. */
  async footprint(): Promise<{ rssMb: number; descriptors: number }> {
    let [rssMb, descriptors] = [0, 0];
    for (const pid of await family(this.pid)) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      rssMb += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
      descriptors += (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
    }
    return { rssMb, descriptors };
  }

  async stop(): Promise<void> {
    this.child?.kill("SIGTERM");
    await this.child?.exited;
    await Promise.all(this.predecessors);
    await rm(this.data, { recursive: true, force: true });
  }

  private get socket(): string {
    return paths.proxySocket(this.data);
  }

  private table(generation: number) {
    const at = generation % this.apps.length;
    return {
      version: 1,
      generation,
      listeners: [
        { host: "127.0.0.1", port: this.http, protocol: "http" },
        { host: "127.0.0.1", port: this.https, protocol: "https" },
      ],
      routes: [
        routeTo([], {
          targets: [{ instance: `i${at}`, port: this.apps[at]! }],
          hosts: ["127.0.0.1", "localhost"],
          hold: { max_requests: 1000, max_wait_ms: 10_000 },
        }),
      ],
      settings: { own_cookies: [], probe_token: "", trusted_proxies: [] },
    };
  }

  private async put(path: string, body: unknown): Promise<void> {
    const request = { unix: this.socket, method: "PUT", body: JSON.stringify(body) };
    const response = await fetch(`http://proxy${path}`, request);
    if (!response.ok) throw new Error(await response.text());
  }
}

async function selfSigned(directory: string, i: number) {
  const [key, cert] = [join(directory, `key${i}.pem`), join(directory, `cert${i}.pem`)];
  await $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=soak${i} -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.quiet();
  return { certificate_pem: await readFile(cert, "utf8"), private_key_pem: await readFile(key, "utf8") };
}
