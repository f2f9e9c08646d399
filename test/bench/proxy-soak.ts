/**
 * A soak of the data plane: mixed load, every answer compared, while routes and certificates change and workers are
 * restarted or killed. Prints failures, memory and descriptors at the start and the end.
 *
 *   bun test/bench/proxy-soak.ts [seconds = 60] [--restarts] [--kills]
 *
 * `--restarts`: a rolling restart of the workers (SIGHUP) every 10 seconds: still no failure may be seen.
 * `--kills`: a worker is killed every 5 seconds: only requests in flight in it may fail.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paths } from "../../src/config.ts";
import type { ProxyState } from "../../src/proxy/protocol.ts";
import { freePort, routeTo } from "../proxy/harness.ts";

const seconds = Number(process.argv[2] ?? 60);
const restarts = process.argv.includes("--restarts");
const kills = process.argv.includes("--kills");
const data = await mkdtemp(join(tmpdir(), "proxy-soak-"));
const port = freePort();
const counts = { requests: 0, messages: 0, failed: 0, routeChanges: 0, restarts: 0, kills: 0 };
const problems = new Map<string, number>();
let done = false;

function fail(what: string, error: unknown): void {
  if (done) return;
  counts.failed++;
  const text = `${what}: ${error instanceof Error ? error.message : error}`;
  problems.set(text, (problems.get(text) ?? 0) + 1);
}

function instance(name: string) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request, server) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/ws")
        return server.upgrade(request) ? undefined : new Response("no", { status: 400 });
      if (pathname === "/sse")
        return new Response(events(), { headers: { "content-type": "text/event-stream" } });
      if (searchParams.has("slow")) await Bun.sleep(Number(searchParams.get("slow")));
      return new Response(await request.arrayBuffer(), {
        headers: { "x-id": searchParams.get("id") ?? "", "x-name": name },
      });
    },
    websocket: { message: (ws, message) => void ws.send(message) },
  });
}

function events(): ReadableStream {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(20);
      controller.enqueue(`data: ${n++}\n\n`);
      if (n === 20) controller.close();
    },
  });
}

const instances = [instance("a"), instance("b"), instance("c")];
const child = Bun.spawn([process.execPath, join(import.meta.dir, "proxy/diplo-process.ts")], {
  env: { ...process.env, DIPLO_DATA: data, ...(restarts || kills ? { DIPLO_PROXY_WORKERS: "2" } : {}) },
  stdout: "inherit",
  stderr: "inherit",
});
const unix = paths.proxySocket(data);

async function apply(generation: number): Promise<void> {
  const chosen = instances[generation % instances.length]!;
  const targets = [{ instance: `i${generation % instances.length}`, port: chosen.port! }];
  const route = routeTo([], {
    targets,
    hosts: ["127.0.0.1"],
    hold: { max_requests: 1000, max_wait_ms: 10_000 },
  });
  const table = {
    version: 1,
    generation,
    listeners: [{ host: "127.0.0.1", port, protocol: "http" }],
    routes: [route],
    settings: { own_cookies: [], probe_token: "", trusted_proxies: [] },
  };
  const response = await fetch("http://proxy/routes", { unix, method: "PUT", body: JSON.stringify(table) });
  if (!response.ok) throw new Error(await response.text());
}

async function tree(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return [pid, ...(await Promise.all(text.trim().split(" ").filter(Boolean).map(Number).map(tree))).flat()];
}

async function footprint() {
  let [rssMb, descriptors] = [0, 0];
  for (const pid of await tree(child.pid)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    rssMb += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    descriptors += (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
  }
  return { rssMb: Math.round(rssMb), descriptors };
}

const url = `http://127.0.0.1:${port}`;
let sequence = 0;

async function requests(keepalive: boolean, size: () => number, slow = 0): Promise<void> {
  while (!done) {
    const id = String(++sequence);
    const body = "x".repeat(size());
    try {
      const response = await fetch(`${url}/?id=${id}${slow ? `&slow=${slow}` : ""}`, {
        method: body === "" ? "GET" : "PUT",
        body: body === "" ? undefined : body,
        keepalive,
      });
      const text = await response.text();
      if (response.status !== 200) fail("status", `${response.status} ${text.slice(0, 100)}`);
      else if (response.headers.get("x-id") !== id || text !== body)
        fail("wrong answer", response.headers.get("x-id"));
      counts.requests++;
    } catch (error) {
      fail("request", error);
    }
    await Bun.sleep(1);
  }
}

async function sockets(): Promise<void> {
  while (!done) {
    await new Promise<void>((resolve) => {
      const ws = new WebSocket(`${url.replace("http", "ws")}/ws`);
      let expected = "";
      let n = 0;
      const next = () => {
        if (done || n++ === 50) return ws.close();
        expected = `message ${++sequence}`;
        ws.send(expected);
      };
      ws.onopen = next;
      ws.onmessage = ({ data: text }) => {
        if (text !== expected) fail("WebSocket", `${text} for ${expected}`);
        counts.messages++;
        setTimeout(next, 10);
      };
      ws.onclose = ({ code }) => {
        if (n < 50) fail("WebSocket closed", code);
        resolve();
      };
      ws.onerror = () => {};
    });
  }
}

async function streams(): Promise<void> {
  while (!done) {
    try {
      const text = await (await fetch(`${url}/sse`, { keepalive: false })).text();
      if (!done && text.match(/data: /g)?.length !== 20) fail("event stream", "incomplete");
      counts.requests++;
    } catch (error) {
      fail("event stream", error);
    }
  }
}

for (let i = 0; ; i++) {
  try {
    await apply(1);
    break;
  } catch (error) {
    if (i === 100) throw error;
    await Bun.sleep(50);
  }
}

const random = (max: number) => () => Math.floor(Math.random() * max);
const load = [
  ...Array.from({ length: 6 }, () => requests(true, () => 0)),
  ...Array.from({ length: 3 }, () => requests(false, () => 0)),
  ...Array.from({ length: 3 }, () => requests(true, random(300_000))),
  ...Array.from({ length: 3 }, () => requests(true, () => 0, 100)),
  ...Array.from({ length: 3 }, sockets),
  ...Array.from({ length: 3 }, streams),
];
await Bun.sleep(Math.min(5_000, seconds * 200));
const before = await footprint();
const start = performance.now();
let generation = 1;
let lastRestart = start;
let lastKill = start;
while (performance.now() - start < seconds * 1000) {
  await Bun.sleep(300);
  await apply(++generation).catch((error) => fail("route change", error));
  counts.routeChanges++;
  if (restarts && performance.now() - lastRestart > 10_000) {
    lastRestart = performance.now();
    child.kill("SIGHUP");
    counts.restarts++;
  }
  const workers = (await tree(child.pid)).slice(1);
  if (kills && workers.length > 0 && performance.now() - lastKill > 5_000) {
    lastKill = performance.now();
    process.kill(workers[Math.floor(Math.random() * workers.length)]!, "SIGKILL");
    counts.kills++;
  }
}
done = true;
await Promise.all(load);
await Bun.sleep(1_500);
const after = await footprint();
const state = (await (await fetch("http://proxy/state", { unix })).json()) as ProxyState;
child.kill("SIGTERM");
await child.exited;
for (const server of instances) await server.stop(true);
await rm(data, { recursive: true, force: true });
console.log({ ...counts, before, after, in_flight: state.in_flight, connections: state.connections });
for (const [problem, n] of problems) console.log(`${n} × ${problem}`);
process.exit(counts.failed > 0 && !kills ? 1 : 0);
