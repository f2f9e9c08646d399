import { afterEach, describe, expect, test } from "bun:test";
import { chmod, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { DataPlane } from "../../src/proxy/data-plane.ts";
import type { ProxyEvents, Refusal, Route } from "../../src/proxy/protocol.ts";
import { freePort } from "../support/free-ports.ts";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n";
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function plane(options: Parameters<typeof TestPlane.start>[0] = {}): Promise<TestPlane> {
  const started = await TestPlane.start(options);
  stops.push(() => started.stop());
  return started;
}

function backend(respond = answering(OK), port = 0): RawBackend {
  const started = new RawBackend(respond, port);
  stops.push(() => started.stop());
  return started;
}

describe("PUT /routes", () => {
  test("answers with generation and digest when the table serves and lies on disk", async () => {
    const proxy = await plane();
    const app = backend();
    const applied = await proxy.route([routeTo(app.port)]);
    expect(applied.generation).toBe(1);
    expect(applied.sha256).toMatch(/^[0-9a-f]{64}$/);
    const state = await proxy.state();
    expect([state.generation, state.sha256]).toEqual([1, applied.sha256]);
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
    expect((await stat(join(proxy.data, "proxy", "routes.json"))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["no JSON", "{"],
    ["another version", { version: 2 }],
  ])("refuses %s", async (_, body) => {
    const proxy = await plane();
    const { status, body: refusal } = await proxy.put("/routes", body);
    expect(status).toBe(422);
    expect((refusal as Refusal).code).toBe("invalid");
  });

  const bad: [string, (route: Route) => unknown, string][] = [
    ["a host in upper case", (route) => ({ ...route, hosts: ["Blog.test"] }), "routes[0].hosts[0]"],
    ["a host with a port", (route) => ({ ...route, hosts: ["blog.test:80"] }), "routes[0].hosts[0]"],
    ["a path that ends with a slash", (route) => ({ ...route, path: "/a/" }), "routes[0].path"],
    ["a weight of 0", (route) => ({ ...route, targets: [{ ...route.targets[0], weight: 0 }] }), "weight"],
    [
      "a target host with a space",
      (route) => ({ ...route, targets: [{ ...route.targets[0], host: "a b" }] }),
      "host",
    ],
    ["a fractional port", (route) => ({ ...route, port: 3000.5 }), "routes[0].port"],
    ["an unknown status", (route) => ({ ...route, status: "odd" }), "routes[0].status"],
    ["a missing field", ({ wake: _, ...route }) => route, "routes[0].wake"],
    ["the same host twice", (route) => ({ ...route, hosts: ["a.test", "a.test"] }), "host a.test/"],
  ];
  test.each(bad)("refuses %s, says where, and the last good table serves on", async (_, change, place) => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    const table = proxy.table([routeTo(app.port)]);
    const { status, body } = await proxy.put("/routes", { ...table, routes: table.routes.map(change) });
    expect(status).toBe(422);
    expect((body as Refusal).message).toContain(place);
    const state = await proxy.state();
    expect(state.generation).toBe(1);
    expect(state.last_refusal?.code).toBe("invalid");
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
  });

  test("refuses an older generation and the same one with another content; takes it again when equal", async () => {
    const proxy = await plane();
    const table = proxy.table([routeTo(1)]);
    const first = await proxy.put("/routes", table);
    expect(await proxy.put("/routes", table)).toEqual(first);
    const other = await proxy.put("/routes", { ...table, routes: [] });
    expect([other.status, (other.body as Refusal).code]).toEqual([409, "stale_generation"]);
    expect((await proxy.put("/routes", { ...table, generation: 0 })).status).toBe(409);
  });

  test("a port that cannot be bound refuses the whole table, and nothing of it remains open", async () => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    const foreign = backend();
    const free = freePort();
    const routes = [
      routeTo(app.port, { port: free }),
      routeTo(app.port, { id: "env2/web", hosts: ["b.test"], port: foreign.port }),
    ];
    const { status, body } = await proxy.put("/routes", proxy.table(routes));
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "bind_failed",
      listeners: [{ host: "127.0.0.1", port: foreign.port, error: "EADDRINUSE" }],
    });
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
    expect(RawClient.connect(free)).rejects.toThrow();
  });

  test("a port that moves to another address moves; one that is refused then comes back", async () => {
    const proxy = await plane();
    const app = backend();
    const port = freePort();
    await proxy.route([routeTo(app.port, { port, port_host: "127.0.0.1" })]);
    await proxy.route([routeTo(app.port, { port, port_host: "0.0.0.0" })]);
    expect(await exchange(port, CLOSE)).toEndWith("ok");
    const foreign = backend();
    const routes = [
      routeTo(app.port, { port, port_host: "127.0.0.1" }),
      routeTo(app.port, { id: "env2/web", hosts: [], port: foreign.port }),
    ];
    expect((await proxy.put("/routes", proxy.table(routes))).status).toBe(422);
    expect(await exchange(port, CLOSE)).toEndWith("ok");
  });

  test("an app's own port serves it whatever Host says, and closes when the route goes", async () => {
    const proxy = await plane();
    const app = backend();
    const port = freePort();
    await proxy.route([routeTo(app.port, { port })]);
    expect(await exchange(port, CLOSE.replace("blog.test", "192.0.2.1:3000"))).toEndWith("ok");
    expect(await exchange(port, "GET / HTTP/1.1\r\n\r\n")).toContain("X-Diplo-Error: missing_host");
    await proxy.route([]);
    expect(RawClient.connect(port)).rejects.toThrow();
  });

  test("a directory that cannot be written refuses with `disk` and changes nothing", async () => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    // A directory in the place of the temporary file fails for root too.
    await Bun.$`mkdir ${join(proxy.data, "proxy", "routes.json.new")}`.quiet();
    const { status, body } = await proxy.put("/routes", proxy.table([]));
    expect([status, (body as Refusal).code]).toEqual([422, "disk"]);
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
  });
});

describe("routing", () => {
  test("exact host before wildcard, a wildcard covers one label, the longest path wins", async () => {
    const proxy = await plane();
    const named = (name: string) =>
      backend(answering(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`));
    const [a, b, c, d] = ["exact", "wild", "api", "apiv2"].map(named) as [
      RawBackend,
      RawBackend,
      RawBackend,
      RawBackend,
    ];
    await proxy.route([
      routeTo(a.port, { id: "1", hosts: ["a.blog.test"] }),
      routeTo(b.port, { id: "2", hosts: ["*.blog.test"] }),
      routeTo(c.port, { id: "3", hosts: ["a.blog.test"], path: "/api", strip_path: true }),
      routeTo(d.port, { id: "4", hosts: ["a.blog.test"], path: "/api/v2" }),
    ]);
    const get = (host: string, path: string) =>
      exchange(proxy.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get("a.blog.test", "/")).toEndWith("exact");
    expect(await get("A.blog.test.:99", "/apix")).toEndWith("exact");
    expect(await get("b.blog.test", "/")).toEndWith("wild");
    expect(await get("x.b.blog.test", "/")).toContain("unknown_host");
    expect(await get("blog.test", "/")).toContain("unknown_host");
    expect(await get("a.blog.test", "/api/x?y=1")).toEndWith("api");
    expect(c.received).toStartWith("GET /x?y=1 HTTP/1.1");
    expect(await get("a.blog.test", "/api?y=1")).toEndWith("api");
    expect(c.received).toContain("GET /?y=1 HTTP/1.1");
    expect(await get("a.blog.test", "/api/v2/x")).toEndWith("apiv2");
    expect(d.received).toStartWith("GET /api/v2/x HTTP/1.1");
    expect(await get("a.blog.test", "/api/v2/../x")).toEndWith("api");
  });
});

describe("start and stop", () => {
  test("starts from its directory alone", async () => {
    const first = await TestPlane.start();
    stops.push(() => rm(first.data, { recursive: true, force: true }));
    const app = backend();
    const applied = await first.route([routeTo(app.port)]);
    await first.plane.stop();
    const second = await plane({ data: first.data, port: first.port });
    expect(await exchange(first.port, CLOSE)).toEndWith("ok");
    expect(await second.state()).toMatchObject({ generation: applied.generation, sha256: applied.sha256 });
  });

  test("a damaged file is said in the log and does not keep it from starting", async () => {
    const first = await TestPlane.start();
    stops.push(() => rm(first.data, { recursive: true, force: true }));
    await first.plane.stop();
    await writeFile(join(first.data, "proxy", "routes.json"), '{"version":1,');
    const lines: string[] = [];
    const second = await plane({ data: first.data, log: createLog("error", (line) => lines.push(line)) });
    expect(lines.join("")).toContain("stored routes cannot be used");
    expect((await second.state()).generation).toBe(-1);
  });

  test("a second proxy on the same directory refuses to start and harms nothing", async () => {
    const proxy = await plane();
    const second = DataPlane.start({
      directory: join(proxy.data, "proxy"),
      eventsSocket: "/nowhere",
      version: "test",
      log: createLog("error"),
    });
    expect(second).rejects.toMatchObject({ code: "proxy_running" });
    await second.catch(() => {});
    expect((await proxy.state()).pid).toBe(process.pid);
  });

  test("a successor takes over without a refused connection, and what is in flight finishes where it is", async () => {
    const proxy = await TestPlane.start();
    stops.push(() => rm(proxy.data, { recursive: true, force: true }));
    let answer = () => {};
    const slow = backend((connection) => {
      answer = () => void connection.socket.write(OK);
    });
    const app = backend();
    const routes = [routeTo(app.port), routeTo(slow.port, { id: "env2/web", hosts: ["slow.test"] })];
    const applied = await proxy.route(routes);
    const inFlight = await RawClient.connect(proxy.port);
    inFlight.send(GET.replace("blog", "slow"));
    await eventually(() => slow.received !== "");
    let done = false;
    let served = 0;
    const failures: unknown[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!done) {
        const text = await exchange(proxy.port, CLOSE).catch((error) => failures.push(error));
        if (!String(text).endsWith("ok")) failures.push(text);
        served++;
      }
    });
    const successor = await DataPlane.replace({
      directory: join(proxy.data, "proxy"),
      eventsSocket: join(proxy.data, "proxy-events.sock"),
      version: "next",
      log: createLog("error"),
    });
    stops.push(() => successor.stop());
    expect(await proxy.state()).toMatchObject({ diplo_version: "next", generation: applied.generation });
    const before = served;
    await eventually(() => served > before + 10);
    done = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
    answer();
    expect(await inFlight.until("ok")).toEndWith("ok");
    inFlight.close();
    await proxy.plane.stopped;
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
    expect((await proxy.put("/routes", { ...proxy.table(routes) })).status).toBe(200);
  });

  test("a socket left by a killed proxy is replaced, and only owner and group may use the new one", async () => {
    const first = await TestPlane.start();
    stops.push(() => rm(first.data, { recursive: true, force: true }));
    await first.plane.stop();
    await writeFile(first.socket, "");
    await chmod(first.socket, 0o600);
    const second = await plane({ data: first.data });
    expect((await stat(second.socket)).mode & 0o777).toBe(0o660);
    expect((await second.state()).workers).toBe(1);
  });

  test("POST /stop lets a request in flight finish, closes idle connections, and frees the port", async () => {
    const proxy = await TestPlane.start();
    stops.push(() => rm(proxy.data, { recursive: true, force: true }));
    let answer = () => {};
    const app = backend((connection) => {
      answer = () => void connection.socket.write(OK);
    });
    await proxy.route([routeTo(app.port)]);
    const busy = await RawClient.connect(proxy.port);
    const idle = await RawClient.connect(proxy.port);
    busy.send(GET);
    await eventually(() => app.received !== "");
    const response = await fetch("http://proxy/stop", { unix: proxy.socket, method: "POST" });
    expect(response.status).toBe(202);
    await idle.untilEnd();
    expect(RawClient.connect(proxy.port)).rejects.toThrow();
    answer();
    expect(await busy.untilEnd()).toContain("Connection: close\r\n\r\nok");
    await proxy.plane.stopped;
    expect(await readdir(join(proxy.data, "proxy"))).not.toContain("proxy.sock");
  });

  test("a stop cuts what is not done when the time is over", async () => {
    const proxy = await plane({ limits: { drainMs: 100 } });
    const app = backend(() => {});
    await proxy.route([routeTo(app.port)]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await eventually(() => app.received !== "");
    await proxy.plane.stop();
    await client.untilEnd();
    await eventually(() => app.open === 0);
  });
});

describe("limits", () => {
  test("a head that does not come is answered 408 and closed; an idle connection is closed without a word", async () => {
    const proxy = await plane({ limits: { headTimeoutMs: 100, keepAliveIdleMs: 100 } });
    await proxy.route([]);
    const slow = await RawClient.connect(proxy.port);
    slow.send("GET / HTTP/1.1\r\nHost:");
    const silent = await RawClient.connect(proxy.port);
    expect(await slow.untilEnd()).toStartWith("HTTP/1.1 408 ");
    expect(await silent.untilEnd()).toBe("");
  });

  test("a body that stops coming is answered 408 and its app connection cut", async () => {
    const proxy = await plane({ limits: { bodyIdleMs: 100 } });
    const app = backend(() => {});
    await proxy.route([routeTo(app.port)]);
    const client = await RawClient.connect(proxy.port);
    client.send("POST / HTTP/1.1\r\nHost: blog.test\r\nContent-Length: 10\r\n\r\nabc");
    expect(await client.untilEnd()).toStartWith("HTTP/1.1 408 ");
    await eventually(() => app.open === 0);
  });

  test("over the connection limits the newest is shed and those before it are served", async () => {
    const proxy = await plane({ limits: { connectionsPerAddress: 2 } });
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    const kept = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    const shed = await RawClient.connect(proxy.port);
    expect(await shed.untilEnd()).toContain("X-Diplo-Error: overloaded");
    for (const client of kept) {
      client.send(CLOSE);
      expect(await client.untilEnd()).toEndWith("ok");
      client.close();
    }
    await eventually(async () => (await proxy.state()).connections === 0);
    expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
  });
});

describe("error pages", () => {
  const ask = (port: number, accept: string) =>
    exchange(port, CLOSE.replace("\r\n\r\n", `\r\nAccept: ${accept}\r\n\r\n`));

  test("HTML, JSON or text as Accept prefers, naming the app, escaped, with Retry-After", async () => {
    const proxy = await plane();
    await proxy.route([
      routeTo([], { app: "<b>blog", environment: "staging", status: "stopped", targets: [] }),
    ]);
    const html = await ask(proxy.port, "text/html,application/xhtml+xml,*/*;q=0.8");
    expect(html).toStartWith("HTTP/1.1 503 ");
    expect(html).toContain("Content-Type: text/html");
    expect(html).toContain("&#60;b&#62;blog@staging");
    expect(html).not.toContain("<b>blog");
    expect(html).toContain("Retry-After: ");
    const json = await ask(proxy.port, "application/json");
    expect(JSON.parse(json.slice(json.indexOf("\r\n\r\n") + 4))).toMatchObject({
      status: 503,
      code: "unhealthy",
      app: "<b>blog@staging",
      detail: "The app is stopped. Its owner can start it again.",
    });
    expect(await ask(proxy.port, "*/*")).toContain("503 <b>blog@staging: Stopped.");
  });

  test("a failed app says so", async () => {
    const proxy = await plane();
    await proxy.route([routeTo([], { status: "failed", targets: [] })]);
    expect(await ask(proxy.port, "*/*")).toContain("X-Diplo-Error: start_failed");
  });
});

describe("events", () => {
  test("a sleeping app is woken, its request held until a target comes; metrics follow in batches", async () => {
    const events: ProxyEvents["events"] = [];
    const proxy = await plane({ metricsEveryMs: 50 });
    const control = Bun.serve({
      unix: join(proxy.data, "proxy-events.sock"),
      async fetch(request) {
        events.push(...((await request.json()) as ProxyEvents).events);
        return new Response(null, { status: 204 });
      },
    });
    stops.push(() => control.stop(true));
    await proxy.route([
      routeTo([], {
        status: "sleeping",
        wake: true,
        targets: [],
        hold: { max_requests: 2, max_wait_ms: 5_000 },
      }),
    ]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await eventually(() => events.some((event) => event.type === "wake" && event.route === "env1/web"));
    const app = backend();
    await proxy.route([routeTo(app.port)]);
    await client.until("ok");
    await eventually(() =>
      events.some((event) => event.type === "metrics" && event.routes.some((r) => r.requests === 1)),
    );
    const sum = () =>
      events
        .flatMap((event) => (event.type === "metrics" ? event.routes : []))
        .reduce((n, r) => n + r.status["2xx"], 0);
    expect(sum()).toBe(1);
    const count = events.length;
    await Bun.sleep(200);
    expect(events.length - count).toBeLessThanOrEqual(1);
    client.close();
  });
});
