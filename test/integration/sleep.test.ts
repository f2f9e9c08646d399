import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

/** Says when it started; upgrades to an echo. */
const SERVER = `
const { createServer } = require("node:http");
const started = Date.now() + "-" + process.pid + "-" + Math.random();
const server = createServer((request, response) => {
  response.end(started);
});
server.on("upgrade", (request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n");
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end());
  socket.on("error", () => {});
});
server.listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;
const WORKER = `process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000);`;

let box: Box;
let git: GitServer;
let port: number;

interface Row {
  name: string;
  process: string;
  status: string;
  address: string;
}

const status = async () => (await box.api("GET", "/apps/drowsy")).body.status;
const instances = async () => (await box.api<Row[]>("GET", "/apps/drowsy/instances")).body;
const web = async () => (await instances()).filter(({ process }) => process === "web");
const asleep = async () =>
  (await status()) === "sleeping" && (await web()).every((row) => row.status === "sleeping");
const sleep = () => box.until("it sleeps", asleep, 60_000);

async function states(process: string): Promise<string[]> {
  await using runtime = { value: await box.runtime(), [Symbol.asyncDispose]: () => runtime.value.close() };
  const names = new Set((await instances()).filter((row) => row.process === process).map(({ name }) => name));
  return (await runtime.value.list()).filter(({ name }) => names.has(name)).map(({ state }) => state);
}

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await git.commit("drowsy", {
    "package.json": `{"name":"drowsy","engines":{"node":"22"}}`,
    Procfile: "web: node server.js\nworker: node worker.js\n",
    "server.js": SERVER,
    "worker.js": WORKER,
  });
  ({ port } = await box.deploy({ repo_url: git.url("drowsy"), name: "drowsy" }));
  await box.api("PATCH", "/apps/drowsy/formation", { worker: 1 });
  await box.api("PATCH", "/apps/drowsy", { drain_s: 1, health: { start_interval_ms: 50 } });
  await box.settled();
  expect((await box.api("PATCH", "/apps/drowsy", { idle_timeout_s: 2 })).status).toBe(200);
}, 180_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

afterEach(() => box.settled());

test("an idle app sleeps with its container and address kept, its worker does not, and a request wakes it", async () => {
  const before = await web();
  await sleep();
  expect(await states("web")).toEqual(["exited"]);
  expect(await states("worker")).toEqual(["running"]);
  expect((await box.api("GET", "/apps/drowsy/health")).body).toMatchObject({ status: "sleeping" });
  const begun = performance.now();
  const answer = await box.app(port);
  const tookMs = performance.now() - begun;
  expect(answer.status).toBe(200);
  console.log(`woken by a request in ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(15_000);
  expect((await web()).map(({ name, address }) => ({ name, address }))).toEqual(
    before.map(({ name, address }) => ({ name, address })),
  );
  expect(await status()).toBe("running");
  await box.api("PATCH", "/apps/drowsy/formation", { worker: 0 });
}, 120_000);

test("a hundred requests at once start it once, and each gets its answer", async () => {
  await sleep();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => box.app(port, `/?${i}`).then((r) => r.text())),
  );
  expect(new Set(answers).size).toBe(1);
  type Task = { type: string; status: string; created_at: string };
  await box.settled();
  const wakes = (await box.api<Task[]>("GET", "/jobs?limit=100")).body.filter(({ type }) => type === "wake");
  expect(wakes.map(({ status }) => status)).toEqual(wakes.map(() => "succeeded"));
  expect(wakes.length).toBe(2);
}, 120_000);

test("an open WebSocket keeps it awake", async () => {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let said = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => {
        said += bytes.toString();
      },
      close: () => close(),
    },
  });
  socket.write("GET / HTTP/1.1\r\nHost: drowsy\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  await box.until("it is upgraded", () => said.includes("101 Switching"));
  // Twice as long as it may be idle.
  await Bun.sleep(5_000);
  expect(await status()).toBe("running");
  socket.write("still there?");
  await box.until("it answers", () => said.includes("still there?"));
  socket.end();
  await closed;
  await sleep();
}, 120_000);

test("use while control was away counts", async () => {
  await box.app(port);
  await box.kill("SIGKILL");
  const until = Date.now() + 5_000;
  while (Date.now() < until) {
    expect((await box.app(port)).status).toBe(200);
    await Bun.sleep(200);
  }
  await box.serve();
  const { body: jobs } = await box.api<{ type: string; created_at: string }[]>("GET", "/jobs?limit=1");
  await box.app(port);
  expect(Date.parse(jobs[0]?.created_at ?? "")).toBeLessThan(until - 5_000);
  await sleep();
}, 120_000);

for (const at of ["sleep:resting", "sleep:withdrawing", "sleep:stopping"])
  test(`serve killed at ${at} lets the app sleep in the end, and a request wakes it`, async () => {
    await box.app(port);
    await box.kill("SIGKILL");
    await box.serve({ crashAt: at });
    await box.died();
    await box.serve();
    await sleep();
    expect(await states("web")).toEqual(["exited"]);
    expect((await box.app(port)).status).toBe(200);
    expect(await states("web")).toEqual(["running"]);
  }, 120_000);

for (const at of ["wake:starting", "wake:verifying", "wake:publishing"])
  test(`serve killed at ${at}: the request that waits is answered when serve is back`, async () => {
    await sleep();
    await box.kill("SIGKILL");
    await box.serve({ crashAt: at });
    const answer = box.app(port);
    await box.died();
    await box.serve();
    expect((await answer).status).toBe(200);
    expect(await states("web")).toEqual(["running"]);
    expect(await status()).toBe("running");
  }, 120_000);

test("a change of config wakes it, and the old release answers until the new one does", async () => {
  await sleep();
  const { body } = await box.api<{ deployment_id: string }>("PATCH", "/apps/drowsy/env", { COLOUR: "red" });
  expect((await box.app(port)).status).toBe(200);
  expect(await box.ended(body.deployment_id)).toMatchObject({ status: "success" });
  await box.settled();
  expect((await web()).map((row) => row.status)).toEqual(["running"]);
}, 120_000);

test("ps:start wakes it, ps:stop of a sleeping app stops it for good", async () => {
  await sleep();
  await box.api("POST", "/apps/drowsy/start");
  await box.until("it runs", async () => (await status()) === "running");
  await sleep();
  await box.api("POST", "/apps/drowsy/stop");
  await box.settled();
  expect(await status()).toBe("stopped");
  expect((await box.app(port)).headers.get("x-diplo-error")).toBe("unhealthy");
  expect(await instances()).toEqual([]);
  await box.api("POST", "/apps/drowsy/start");
  await box.until("it runs", async () => (await status()) === "running");
}, 180_000);

test("one that cannot start any more is an app that fails, and tells so", async () => {
  await git.commit("fragile", {
    Dockerfile: `FROM busybox:1.36
COPY break /www/cgi-bin/break
RUN chmod +x /www/cgi-bin/break && echo well > /www/index.html
CMD ["sh", "-c", "test ! -e /broken && exec httpd -f -p 8080 -h /www"]
`,
    break: "#!/bin/sh\ntouch /broken\nprintf 'Content-Type: text/plain\\r\\n\\r\\nbroken'\n",
  });
  const fragile = await box.deploy({ repo_url: git.url("fragile"), name: "fragile" });
  const stateOf = async () => (await box.api("GET", "/apps/fragile")).body.status;
  await box.api("PATCH", "/apps/fragile", { drain_s: 0, stop_grace_s: 0 });
  await box.settled();
  expect(await (await box.app(fragile.port, "/cgi-bin/break")).text()).toBe("broken");
  await box.api("PATCH", "/apps/fragile", { idle_timeout_s: 2 });
  await box.until("it sleeps", async () => (await stateOf()) === "sleeping", 60_000);
  await box.settled();
  const client = new AbortController();
  const page = fetch(`http://127.0.0.1:${fragile.port}/`, { signal: client.signal }).catch(() => null);
  await box.until("it is seen", async () => (await stateOf()) === "error", 60_000);
  client.abort();
  await page;
  const { body: jobs } = await box.api<{ type: string; error: { code: string } | null }[]>(
    "GET",
    "/jobs?limit=20",
  );
  expect(jobs.find(({ type }) => type === "wake")?.error?.code).toMatch(/exit_nonzero|crash_loop/);
}, 120_000);
