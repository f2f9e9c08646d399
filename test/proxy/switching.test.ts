import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../support/free-ports.ts";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: blog.test\r\nContent-Length: 3\r\n\r\nabc";
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";
const saying = (text: string) =>
  answering(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);

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

describe("switching releases", () => {
  test("under load, with targets replaced 40 times, no request fails and none reaches an old target", async () => {
    const proxy = await plane();
    const apps = ["a", "b", "c"].map((name) => backend(saying(name)));
    const target = (i: number) => [{ instance: `i${i}`, port: apps[i]!.port }];
    await proxy.route([routeTo([], { targets: target(0) })]);
    let done = false;
    let failed = 0;
    let served = 0;
    const load = async () => {
      const client = await RawClient.connect(proxy.port);
      for (let n = 0; !done; n++) {
        client.received = "";
        client.send(n % 3 === 0 ? POST : GET);
        await client.until(/\r\n\r\n./).catch(() => failed++);
        if (!client.received.startsWith("HTTP/1.1 200")) failed++;
        served++;
      }
      client.close();
    };
    const clients = Array.from({ length: 8 }, load);
    for (let i = 1; i <= 40; i++) {
      await Bun.sleep(10);
      await proxy.route([routeTo([], { targets: target(i % 3) })]);
      const before = apps[(i + 1) % 3]!.connections.length;
      expect(await exchange(proxy.port, CLOSE)).toEndWith("abc"[i % 3]!);
      expect(apps[(i + 1) % 3]!.connections.length).toBe(before);
    }
    done = true;
    await Promise.all(clients);
    expect(failed).toBe(0);
    expect(served).toBeGreaterThan(100);
    // Connections to targets that left are closed when idle.
    await eventually(() => apps[0]!.open === 0 && apps[2]!.open === 0);
  }, 20_000);

  test("requests in flight finish at the target that left, and are counted there until then", async () => {
    const proxy = await plane();
    let answer = () => {};
    const old = backend((connection) => {
      answer = () => void connection.socket.write(OK);
    });
    const fresh = backend(saying("new"));
    await proxy.route([routeTo([], { targets: [{ instance: "old", port: old.port }] })]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await eventually(() => old.received !== "");
    await proxy.route([routeTo([], { targets: [{ instance: "new", port: fresh.port }] })]);
    expect((await proxy.state()).in_flight).toEqual({ old: 1, new: 0 });
    expect(await exchange(proxy.port, CLOSE)).toEndWith("new");
    answer();
    await client.until("ok");
    await eventually(() => old.open === 0);
    expect((await proxy.state()).in_flight).toEqual({ new: 0 });
    client.send(GET);
    await client.until("new");
    client.close();
  });

  test("requests are held while nothing listens and go through when it does, in order of arrival or nearly", async () => {
    const proxy = await plane({ limits: { holdRetryMs: 20 } });
    const port = freePort();
    await proxy.route([routeTo(port, { hold: { max_requests: 20, max_wait_ms: 5_000 } })]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(proxy.port)));
    for (const [i, client] of clients.entries()) client.send(i % 2 === 0 ? GET : POST);
    await Bun.sleep(100);
    expect(clients.every((client) => client.received === "")).toBe(true);
    backend((connection) => {
      if (/abc$|\r\n\r\n$/.test(connection.pending)) {
        connection.pending = "";
        connection.socket.write(OK);
      }
    }, port);
    await Promise.all(clients.map((client) => client.until("ok")));
    for (const client of clients) client.close();
  });

  test("the hold is bounded in number and in time", async () => {
    const proxy = await plane({ limits: { holdRetryMs: 20 } });
    await proxy.route([routeTo(freePort(), { hold: { max_requests: 1, max_wait_ms: 200 } })]);
    const first = await RawClient.connect(proxy.port);
    first.send(CLOSE);
    await Bun.sleep(50);
    expect(await exchange(proxy.port, CLOSE)).toContain("X-Diplo-Error: overloaded");
    const answer = await first.untilEnd();
    expect(answer).toStartWith("HTTP/1.1 502 ");
    expect(answer).toContain("X-Diplo-Error: connection_failed");
  });

  test("a held client that goes away leaves the queue", async () => {
    const proxy = await plane();
    await proxy.route([routeTo(freePort(), { hold: { max_requests: 1, max_wait_ms: 60_000 } })]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await Bun.sleep(20);
    client.socket.terminate();
    await eventually(async () => (await proxy.state()).connections === 0);
    expect((await proxy.state()).in_flight).toEqual({ i0: 0 });
  });

  test("a proxy that stops tells those it still holds", async () => {
    const proxy = await plane({ limits: { drainMs: 50 } });
    await proxy.route([
      routeTo([], { status: "starting", targets: [], hold: { max_requests: 9, max_wait_ms: 60_000 } }),
    ]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await eventually(async () => Object.keys((await proxy.state()).last_used).length === 1);
    await proxy.plane.stop();
    expect(await client.untilEnd()).toContain("X-Diplo-Error: shutting_down");
    client.close();
  });

  test("a route that is deleted lets go of those it held", async () => {
    const proxy = await plane();
    await proxy.route([
      routeTo([], { status: "starting", targets: [], hold: { max_requests: 9, max_wait_ms: 60_000 } }),
    ]);
    const client = await RawClient.connect(proxy.port);
    client.send(GET);
    await Bun.sleep(20);
    await proxy.route([]);
    await client.until("X-Diplo-Error: unknown_host");
    client.close();
  });
});

describe("retries", () => {
  test("a target that refuses connections is passed over while another takes them", async () => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([routeTo([freePort(), app.port])]);
    for (let i = 0; i < 10; i++) expect(await exchange(proxy.port, CLOSE)).toEndWith("ok");
    for (let i = 0; i < 4; i++)
      expect(await exchange(proxy.port, POST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))).toEndWith(
        "ok",
      );
  });

  test("a pooled connection that the app closed meanwhile costs no request", async () => {
    const proxy = await plane();
    // Closes each connection on its second request, without an answer.
    const app = backend((connection) => {
      if (connection.received.match(/HTTP\/1\.1/g)!.length > 1) connection.socket.terminate();
      else connection.socket.write(OK);
    });
    await proxy.route([routeTo(app.port)]);
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 5; i++) {
      client.received = "";
      client.send(GET);
      await client.until("ok");
    }
    client.close();
  });

  test("what may have been acted on is not sent twice", async () => {
    const proxy = await plane();
    const app = backend((connection) => void connection.socket.terminate());
    await proxy.route([routeTo(app.port)]);
    const answer = await exchange(proxy.port, POST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    expect(answer).toStartWith("HTTP/1.1 502 ");
    expect(app.connections.length).toBe(1);
  });

  test("a request that kills its instance is not passed around for ever", async () => {
    const proxy = await plane();
    const apps = Array.from({ length: 5 }, () => backend((connection) => void connection.socket.terminate()));
    await proxy.route([routeTo(apps.map((app) => app.port))]);
    expect(await exchange(proxy.port, CLOSE)).toStartWith("HTTP/1.1 502 ");
    expect(apps.reduce((n, app) => n + app.connections.length, 0)).toBe(2);
  });
});

describe("balance", () => {
  test("requests are shared by weight", async () => {
    const proxy = await plane();
    const apps = [backend(saying("a")), backend(saying("b"))];
    const targets = apps.map((app, i) => ({ instance: `i${i}`, port: app.port, weight: [1, 3][i]! }));
    await proxy.route([routeTo([], { targets })]);
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 40; i++) {
      const before = client.received.length;
      client.send(GET);
      await eventually(() => /\r\n\r\n[ab]$/.test(client.received.slice(before)));
    }
    expect(client.received.match(/\r\n\r\na/g)?.length).toBe(10);
    client.close();
  });
});

describe("streaming", () => {
  const MB = 1 << 20;
  const SIZE = 100 * MB;
  const piece = Buffer.alloc(64 * 1024, "x");

  const lengthOf = async (stream: ReadableStream<Uint8Array>) => {
    let length = 0;
    const reader = stream.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) length += next.value.length;
    return length;
  };

  test("100 MB go down and up whole", async () => {
    const proxy = await plane();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      maxRequestBodySize: 2 * SIZE,
      async fetch(request) {
        let received = 0;
        if (request.body) received = await lengthOf(request.body);
        if (received > 0) return new Response(String(received));
        let left = SIZE;
        const body = new ReadableStream({
          pull(controller) {
            controller.enqueue(piece);
            left -= piece.length;
            if (left <= 0) controller.close();
          },
        });
        return new Response(body);
      },
    });
    stops.push(() => server.stop(true));
    await proxy.route([routeTo(server.port!, { hosts: ["127.0.0.1"] })]);
    const url = `http://127.0.0.1:${proxy.port}/`;
    const response = await fetch(url, { keepalive: false });
    expect(await lengthOf(response.body!)).toBe(SIZE);
    let left = SIZE;
    const upload = new ReadableStream({
      pull(controller) {
        controller.enqueue(piece);
        left -= piece.length;
        if (left <= 0) controller.close();
      },
    });
    const answer = await fetch(url, { method: "POST", body: upload, keepalive: false });
    expect(await answer.text()).toBe(String(SIZE));
  }, 30_000);

  test("a client that does not read pauses its app instead of filling memory", async () => {
    const proxy = await plane();
    let written = 0;
    const app = backend((connection) => {
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      const more = setInterval(() => {
        if (connection.closed) return clearInterval(more);
        for (let i = 0; i < 64; i++) written += Math.max(0, connection.socket.write(piece));
      }, 5);
      stops.push(() => clearInterval(more));
    });
    await proxy.route([routeTo(app.port)]);
    const client = await RawClient.connect(proxy.port);
    client.socket.pause();
    client.send(GET);
    let before = -1;
    await eventually(async () => {
      await Bun.sleep(200);
      const still = written === before && written > 0;
      before = written;
      return still;
    });
    expect(written).toBeLessThan(32 * MB);
    client.socket.terminate();
    await eventually(() => app.open === 0);
  });
});
