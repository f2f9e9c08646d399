import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { DataPlane } from "../../src/proxy/data-plane.ts";
import { ProxyDirectory } from "../../src/proxy/directory.ts";
import type { ProxyEvents, RouteMetrics } from "../../src/proxy/protocol.ts";
import { defaultWorkerCount } from "../../src/proxy/worker-count.ts";
import { freePort } from "../support/free-ports.ts";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n";
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";
const COMMAND = [process.execPath, join(import.meta.dir, "worker-entry.ts")];

/** The one that waits for another's death. */
const SPARE = 1;

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function fleet(options: Parameters<typeof TestPlane.start>[0] = {}): Promise<TestPlane> {
  const started = await TestPlane.start({ workers: { count: 2, command: COMMAND }, ...options });
  stops.push(() => started.stop());
  return started;
}

function backend(respond = answering(OK)): RawBackend {
  const started = new RawBackend(respond);
  stops.push(() => started.stop());
  return started;
}

function workerPids(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
    .trim()
    .split(" ");
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker-entry");
      } catch {
        return false;
      }
    });
}

describe("workers", () => {
  test("serve what is put, together, and are counted together", async () => {
    const proxy = await fleet();
    const app = backend();
    const port = freePort();
    await proxy.route([routeTo(app.port, { port })]);
    expect((await proxy.state()).workers).toBe(2);
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(proxy.port)));
    for (const client of clients) client.send(GET);
    await Promise.all(clients.map((client) => client.until("ok")));
    expect((await proxy.state()).connections).toBe(20);
    for (const client of clients) client.close();
    expect(await exchange(port, CLOSE)).toEndWith("ok");
    await proxy.route([routeTo(app.port)]);
    expect(RawClient.connect(port)).rejects.toThrow();
    await eventually(async () => (await proxy.state()).connections === 0);
  });

  test("a taken address refuses the table; one that moves on its port moves", async () => {
    const proxy = await fleet();
    const app = backend();
    const port = freePort();
    await proxy.route([routeTo(app.port, { port })]);
    const foreign = backend();
    const { status, body } = await proxy.put(
      "/routes",
      proxy.table([routeTo(app.port, { port: foreign.port })]),
    );
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "bind_failed",
      listeners: [{ port: foreign.port, error: "EADDRINUSE" }],
    });
    expect(await exchange(port, CLOSE)).toEndWith("ok");
    await proxy.route([routeTo(app.port, { port, port_host: "0.0.0.0" })]);
    for (let i = 0; i < 5; i++) expect(await exchange(port, CLOSE)).toEndWith("ok");
  });

  test("a worker that is killed takes only its own requests along, and connections wait for the next one", async () => {
    const proxy = await fleet();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
    for (const pid of workerPids()) process.kill(pid, "SIGKILL");
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(proxy.port, CLOSE)));
    for (const answer of answers) expect(answer).toEndWith("ok");
    await eventually(() => workerPids().length === 2 + SPARE);
  });

  test("one that is being replaced takes new routes for the connections it still has", async () => {
    const proxy = await fleet();
    const [before, after] = [backend(), backend(answering(OK.replace("ok", "no")))];
    await proxy.route([routeTo(before.port)]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await client.until("ok");
    await proxy.plane.restartWorkers();
    await proxy.route([routeTo(after.port)]);
    client.send(GET);
    await client.until(/\r\n\r\nok.*\r\n\r\nno/s);
    client.close();
  });

  test("one that is killed is replaced by one that is ready: connections hardly wait, and the next one gets ready", async () => {
    const proxy = await fleet();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    for (let round = 0; round < 3; round++) {
      await eventually(() => workerPids().length === 2 + SPARE);
      // Settled: the spare has taken in what it was told.
      await proxy.route([routeTo(app.port)]);
      await eventually(async () => (await exchange(proxy.port, CLOSE)).endsWith("ok"));
      process.kill(workerPids()[0]!, "SIGKILL");
      const killedAt = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(proxy.port, CLOSE)));
      for (const answer of answers) expect(answer).toEndWith("ok");
      // Ten milliseconds where nobody else computes; a start alone takes more than a hundred here.
      expect(performance.now() - killedAt).toBeLessThan(500);
    }
  });

  test("a worker that is killed while a table is put costs the table nothing", async () => {
    const proxy = await fleet();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    for (let round = 0; round < 5; round++) {
      await eventually(() => workerPids().length === 2 + SPARE);
      process.kill(workerPids()[0]!, "SIGKILL");
      const port = freePort();
      await proxy.route([routeTo(app.port, { port })]);
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(port, CLOSE)));
      for (const answer of answers) expect(answer).toEndWith("ok");
    }
  }, 20_000);

  test("are replaced one by one: open connections and tunnels finish, no request fails", async () => {
    const proxy = await fleet();
    const app = backend((connection) => {
      const text = connection.pending;
      connection.pending = "";
      if (text.includes("Upgrade: x"))
        connection.socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        );
      else connection.socket.write(text.startsWith("GET") ? OK : `echo ${text}`);
    });
    await proxy.route([routeTo(app.port)]);
    const idle = await RawClient.connect(proxy.port);
    idle.send(GET);
    await idle.until("ok");
    const tunnel = await RawClient.connect(proxy.port);
    tunnel.send(GET.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"));
    await tunnel.until("101");
    let done = false;
    let failed = 0;
    const load = Array.from({ length: 4 }, async () => {
      while (!done) if (!(await exchange(proxy.port, CLOSE)).endsWith("ok")) failed++;
    });
    const before = workerPids();
    await proxy.plane.restartWorkers();
    await eventually(() => workerPids().filter((pid) => !before.includes(pid)).length === 2 + SPARE);
    tunnel.send("one");
    await tunnel.until("echo one");
    idle.received = "";
    idle.send(GET);
    expect(await idle.untilEnd()).toContain("Connection: close\r\n\r\nok");
    tunnel.close();
    idle.close();
    await eventually(() => workerPids().every((pid) => !before.includes(pid)));
    done = true;
    await Promise.all(load);
    expect(failed).toBe(0);
  }, 20_000);

  test("an answer that began before its worker was replaced ends nothing unannounced", async () => {
    const proxy = await fleet();
    let finish = () => {};
    const app = backend((connection) => {
      const { socket } = connection;
      if (connection.received.includes("second")) return void socket.write(OK);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
      finish = () => void socket.write("lf");
    });
    await proxy.route([routeTo(app.port)]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await client.until("ha");
    await proxy.plane.restartWorkers();
    finish();
    await client.until("half");
    // It was told that the connection stays: what it sends now must be answered.
    await Bun.sleep(100);
    client.send(GET.replace("/", "/second"));
    await client.until("Connection: close\r\n\r\nok");
    client.close();
  });

  test("hand over to a successor with as many, again and again: nobody is refused, nobody is reset", async () => {
    const first = await TestPlane.start({ workers: { count: 2, command: COMMAND } });
    stops.push(() => rm(first.data, { recursive: true, force: true }));
    const app = backend();
    await first.route([routeTo(app.port)]);
    let done = false;
    const failed: string[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (!done) {
        const answer = await exchange(first.port, CLOSE).catch(String);
        if (!answer.endsWith("ok")) failed.push(answer);
      }
    });
    let plane = first.plane;
    for (let i = 0; i < 4; i++) {
      const predecessor = plane;
      plane = await DataPlane.replace({
        directory: join(first.data, "proxy"),
        eventsSocket: join(first.data, "proxy-events.sock"),
        version: `test ${i}`,
        log: createLog("error"),
        workers: { count: 2, command: COMMAND },
      });
      await predecessor.stopped;
    }
    done = true;
    await Promise.all(load);
    await plane.stop();
    expect(failed).toEqual([]);
  }, 30_000);

  test("with a successor in place, those that wait in a queue are taken before it closes, whatever becomes of the workers", async () => {
    const first = await fleet();
    await first.route([routeTo(backend().port)]);
    await eventually(() => workerPids().length === 2 + SPARE);
    const pids = workerPids();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const clients = Array.from({ length: 20 }, () => exchange(first.port, CLOSE).catch(String));
    await eventually(() => first.plane.waiting === clients.length);
    await fetch("http://proxy/stop?successor=1", {
      unix: join(first.data, "proxy/proxy.sock"),
      method: "POST",
    });
    // Longer than anybody who makes a connection is waited for.
    await Bun.sleep(600);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    for (const answer of await Promise.all(clients)) expect(answer).toEndWith("ok");
    await first.plane.stopped;
  }, 20_000);

  test("are taken over from when they listen no more, and not before: the kernel would go on giving them connections", async () => {
    const first = await fleet();
    await first.route([routeTo(backend().port)]);
    await eventually(() => workerPids().length === 2 + SPARE);
    const pids = workerPids();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await fetch("http://proxy/stop?successor=1", {
      unix: join(first.data, "proxy/proxy.sock"),
      method: "POST",
    });
    const successor = new ProxyDirectory(join(first.data, "proxy"));
    await expect(successor.lock(1_000)).rejects.toMatchObject({ code: "proxy_running" });
    for (const pid of pids) process.kill(pid, "SIGCONT");
    await successor.lock(5_000);
    successor.close();
    await first.plane.stopped;
  }, 20_000);

  test("start from disk, and end with their parent's stop after what they have in hand", async () => {
    const first = await TestPlane.start({ workers: { count: 2, command: COMMAND } });
    stops.push(() => rm(first.data, { recursive: true, force: true }));
    let answer = () => {};
    const app = backend((connection) => {
      answer = () => void connection.socket.write(OK);
    });
    await first.route([routeTo(app.port)]);
    const client = await RawClient.connect(first.port);
    client.send(GET);
    await eventually(() => app.received !== "");
    const stopped = first.plane.stop();
    await eventually(async () =>
      RawClient.connect(first.port).then(
        () => false,
        () => true,
      ),
    );
    answer();
    await client.until("ok");
    client.close();
    await stopped;
    expect(workerPids()).toEqual([]);
    await fleet({ data: first.data, port: first.port });
    const again = RawClient.connect(first.port);
    (await again).send(GET);
    await eventually(() => (app.connections[1]?.received ?? "") !== "");
    answer();
    await (await again).until("ok");
    (await again).close();
  });

  test("report metrics as one", async () => {
    const proxy = await fleet({ metricsEveryMs: 50 });
    const seen: RouteMetrics[] = [];
    const control = Bun.serve({
      unix: join(proxy.data, "proxy-events.sock"),
      async fetch(request) {
        for (const event of ((await request.json()) as ProxyEvents).events)
          if (event.type === "metrics") seen.push(...event.routes);
        return new Response(null, { status: 204 });
      },
    });
    stops.push(() => control.stop(true));
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    for (let i = 0; i < 20; i++) await exchange(proxy.port, CLOSE);
    await eventually(() => seen.reduce((sum, metrics) => sum + metrics.requests, 0) === 20);
    expect(seen.reduce((sum, { status }) => sum + status["2xx"], 0)).toBe(20);
    await eventually(() => seen.at(-1)?.in_flight === 0);
  });
});

describe("defaultWorkerCount", () => {
  const GB = 1024 ** 3;
  test("leaves a core to the apps and looks at the memory", () => {
    expect(defaultWorkerCount(1, 8 * GB)).toBe(1);
    expect(defaultWorkerCount(4, 16 * GB)).toBe(3);
    expect(defaultWorkerCount(4, 3.9 * GB)).toBe(1);
    expect(defaultWorkerCount(64, 512 * GB)).toBe(4);
  });
});
