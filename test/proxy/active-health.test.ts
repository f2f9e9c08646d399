import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { HEALTH_CHECK_AGENT, type Route } from "../../src/proxy/protocol.ts";
import { type BackendConnection, eventually, exchange, RawBackend, routeTo, TestPlane } from "./harness.ts";

const COMMAND = [process.execPath, join(import.meta.dir, "worker-entry.ts")];
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";
const FAST = { path: "/up", interval_ms: 100, timeout_ms: 80, unhealthy_after: 2 };

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function plane(options: Parameters<typeof TestPlane.start>[0] = {}): Promise<TestPlane> {
  const started = await TestPlane.start(options);
  stops.push(() => started.stop());
  return started;
}

/** An app whose health is what a test says: a status for `/up`, or 0 for no answer; other paths answer its name. */
class App extends RawBackend {
  health = 200;
  readonly name: string;

  constructor(name: string) {
    super((connection) => this.answer(connection));
    this.name = name;
    stops.push(() => this.stop());
  }

  get checks(): number {
    return this.received.match(/GET \/up /g)?.length ?? 0;
  }

  private answer(connection: BackendConnection): void {
    while (connection.pending.includes("\r\n\r\n")) {
      const isCheck = connection.pending.startsWith("GET /up ");
      connection.pending = connection.pending.slice(connection.pending.indexOf("\r\n\r\n") + 4);
      if (isCheck && this.health === 0) continue;
      const status = isCheck ? this.health : 200;
      connection.socket.write(
        `HTTP/1.1 ${status} X\r\nContent-Length: ${this.name.length}\r\n\r\n${this.name}`,
      );
    }
  }
}

const routed = (apps: App[], more: Partial<Omit<Route, "targets">> = {}) =>
  routeTo([], {
    health: FAST,
    targets: apps.map(({ name, port }) => ({ instance: name, port })),
    ...more,
  });

async function whoAnswers(port: number, count = 12): Promise<string[]> {
  const answers = new Set<string>();
  for (let i = 0; i < count; i++) answers.add((await exchange(port, CLOSE)).split("\r\n\r\n")[1]!);
  return [...answers].sort();
}

describe("active health", () => {
  test.each([
    ["in one process", {}],
    ["with two workers", { workers: { count: 2, command: COMMAND } }],
  ])(
    "%s passes over a target that fails until it is well again, and says so in the state",
    async (_, options) => {
      const proxy = await plane(options);
      const [a, b] = [new App("a"), new App("b")];
      await proxy.route([routed([a, b])]);
      expect(await whoAnswers(proxy.port)).toEqual(["a", "b"]);
      a.health = 500;
      await eventually(async () => "a" in (await proxy.state()).unhealthy);
      expect((await proxy.state()).unhealthy).toEqual({ a: "/up answered 500" });
      await eventually(async () => (await whoAnswers(proxy.port)).join() === "b");
      a.health = 204;
      await eventually(async () => Object.keys((await proxy.state()).unhealthy).length === 0);
      await eventually(async () => (await whoAnswers(proxy.port)).join() === "a,b");
    },
    20_000,
  );

  test("a worker that is replaced knows what fails", async () => {
    const proxy = await plane({ workers: { count: 2, command: COMMAND } });
    const [a, b] = [new App("a"), new App("b")];
    await proxy.route([routed([a, b])]);
    a.health = 0;
    await eventually(async () => (await proxy.state()).unhealthy.a === "no answer within 0.08 s");
    await proxy.plane.restartWorkers();
    expect(await whoAnswers(proxy.port, 20)).toEqual(["b"]);
  }, 20_000);

  test("when all fail, all are tried", async () => {
    const proxy = await plane();
    const [a, b] = [new App("a"), new App("b")];
    await proxy.route([routed([a, b])]);
    a.health = b.health = 503;
    await eventually(async () => Object.keys((await proxy.state()).unhealthy).length === 2);
    expect(await whoAnswers(proxy.port)).toEqual(["a", "b"]);
  });

  test("asks each instance once an interval whatever the number of routes and workers, in Diplo's name", async () => {
    const proxy = await plane({ workers: { count: 2, command: COMMAND } });
    const app = new App("a");
    const other = { id: "env1/web/other.test/", hosts: ["other.test"] };
    await proxy.route([routed([app]), routed([app], other)]);
    const begun = performance.now();
    await eventually(() => app.checks >= 5);
    const most = (performance.now() - begun) / FAST.interval_ms + 2;
    expect(app.checks).toBeLessThanOrEqual(most);
    expect(app.received).toContain(
      `User-Agent: ${HEALTH_CHECK_AGENT}\r\n`.replace("User-Agent", /user-agent/i.exec(app.received)![0]),
    );
    expect(app.received).toMatch(/\r\nhost: blog\.test\r\n/i);
    // A check is no use of the app.
    expect((await proxy.state()).last_used).toEqual({});
  });

  test("of a hundred targets never asks all at once", async () => {
    const proxy = await plane();
    let open = 0;
    let most = 0;
    const slow = new RawBackend((connection) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        connection.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      }, 5);
    });
    stops.push(() => slow.stop());
    const targets = Array.from({ length: 100 }, (_, i) => ({ instance: `i${i}`, port: slow.port }));
    await proxy.route([routeTo([], { health: { ...FAST, interval_ms: 1000, timeout_ms: 500 }, targets })]);
    await eventually(() => slow.connections.length >= 100);
    expect(most).toBeLessThanOrEqual(8);
    expect((await proxy.state()).unhealthy).toEqual({});
  });

  test("without a path a connection is enough, and nothing that listens is not", async () => {
    const proxy = await plane();
    const app = new App("a");
    const targets = [
      { instance: "a", port: app.port },
      { instance: "gone", port: 1 },
    ];
    await proxy.route([routeTo([], { health: { ...FAST, path: null }, targets })]);
    await eventually(async () => (await proxy.state()).unhealthy.gone === "nothing listens on the port");
    expect((await proxy.state()).unhealthy.a).toBeUndefined();
    expect(app.checks).toBe(0);
  });

  test("ends with the targets that leave, and with the route that no longer asks", async () => {
    const proxy = await plane();
    const [a, b] = [new App("a"), new App("b")];
    await proxy.route([routed([a, b])]);
    a.health = 500;
    await eventually(async () => "a" in (await proxy.state()).unhealthy);
    await proxy.route([routed([b])]);
    expect((await proxy.state()).unhealthy).toEqual({});
    const { checks } = a;
    const seen = b.checks;
    await eventually(() => b.checks >= seen + 3);
    expect(a.checks).toBeLessThanOrEqual(checks + 1);
  });
});

describe("last_used", () => {
  test.each([
    ["in one process", {}],
    ["with two workers", { workers: { count: 2, command: COMMAND } }],
  ])(
    "%s names the routes that were used, before and after their metrics were taken",
    async (_, options) => {
      const proxy = await plane({ ...options, metricsEveryMs: 100 });
      const [a, b] = [new App("a"), new App("b")];
      await proxy.route([routed([a]), routed([b], { id: "other", hosts: ["other.test"] })]);
      const before = Date.now();
      await exchange(proxy.port, CLOSE);
      const first = (await proxy.state()).last_used;
      expect(Object.keys(first)).toEqual(["env1/web"]);
      expect(Date.parse(first["env1/web"]!)).toBeGreaterThanOrEqual(before);
      // Once its count was taken it is not in use any more, and the time stands still.
      let last = "";
      await eventually(async () => {
        const now = (await proxy.state()).last_used["env1/web"]!;
        const still = now === last;
        last = now;
        await Bun.sleep(20);
        return still;
      });
      await proxy.route([routed([b], { id: "other", hosts: ["other.test"] })]);
      expect((await proxy.state()).last_used).toEqual({});
    },
    20_000,
  );

  test("counts a request and a connection that are open", async () => {
    const proxy = await plane({ metricsEveryMs: 50 });
    const app = new RawBackend(() => {});
    stops.push(() => app.stop());
    await proxy.route([routeTo(app.port)]);
    const open = exchange(proxy.port, CLOSE, 10_000).catch(() => "");
    await eventually(() => app.received !== "");
    for (let i = 0; i < 3; i++) {
      const asked = Date.now();
      expect(Date.parse((await proxy.state()).last_used["env1/web"]!)).toBeGreaterThanOrEqual(asked);
      await Bun.sleep(60);
    }
    app.connections[0]!.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    await open;
  });
});
