import { afterAll, beforeAll, expect, test } from "bun:test";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n";
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";
const CROWD = 500;
const MB = 1 << 20;

let plane: TestPlane;
const backends: RawBackend[] = [];

beforeAll(async () => {
  plane = await TestPlane.start({ limits: { headTimeoutMs: 1_500, sendStallMs: 1_500, lingerMs: 200 } });
});
afterAll(async () => {
  await plane.stop();
  for (const backend of backends) backend.stop();
});

function backend(respond: ConstructorParameters<typeof RawBackend>[0]): RawBackend {
  const started = new RawBackend(respond);
  backends.push(started);
  return started;
}

const crowd = () => Promise.all(Array.from({ length: CROWD }, () => RawClient.connect(plane.port)));
const nobodyLeft = () => eventually(async () => (await plane.state()).connections === 0, 15_000);

test(`${CROWD} clients that drip a head are served nothing, closed in time, and hold nobody up`, async () => {
  const app = backend(answering(OK));
  await plane.route([routeTo(app.port)]);
  const clients = await crowd();
  for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: blog.test\r\nX-A: ");
  const drip = setInterval(() => {
    for (const client of clients) if (!client.ended) client.send("a");
  }, 200);
  for (let i = 0; i < 10; i++) expect(await exchange(plane.port, CLOSE)).toEndWith("ok");
  await eventually(() => clients.every((client) => client.ended), 15_000);
  clearInterval(drip);
  expect(clients.every((client) => client.received.startsWith("HTTP/1.1 408 "))).toBe(true);
  expect(app.received.match(/HTTP\/1\.1/g)?.length).toBe(10);
  for (const client of clients) client.close();
  await nobodyLeft();
}, 30_000);

test(`${CROWD} clients that drip a body cost a timeout each and nobody else anything`, async () => {
  const slow = await TestPlane.start({ limits: { bodyIdleMs: 1_000, lingerMs: 200 } });
  const app = backend(() => {});
  const good = backend(answering(OK));
  await slow.route([routeTo(app.port), routeTo(good.port, { id: "env2/web", hosts: ["good.test"] })]);
  const clients = await Promise.all(Array.from({ length: CROWD }, () => RawClient.connect(slow.port)));
  for (const client of clients)
    client.send("POST / HTTP/1.1\r\nHost: blog.test\r\nContent-Length: 100\r\n\r\nabc");
  expect(await exchange(slow.port, CLOSE.replace("blog", "good"))).toEndWith("ok");
  await eventually(() => clients.every((client) => client.ended), 15_000);
  expect(clients.every((client) => client.received.startsWith("HTTP/1.1 408 "))).toBe(true);
  for (const client of clients) client.close();
  await eventually(() => app.open === 0);
  await slow.stop();
}, 30_000);

test("clients that never read are cut, their apps let go, and what waited for them is bounded", async () => {
  const piece = Buffer.alloc(MB, "x");
  const readers = 50;
  const app = backend((connection) => {
    connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * MB}\r\n\r\n`);
    const more = setInterval(() => {
      if (connection.closed) clearInterval(more);
      else connection.socket.write(piece);
    }, 20);
  });
  await plane.route([routeTo(app.port)]);
  const clients = await Promise.all(Array.from({ length: readers }, () => RawClient.connect(plane.port)));
  for (const client of clients) {
    client.socket.pause();
    client.send(GET);
  }
  await eventually(() => app.connections.length === readers);
  const before = process.memoryUsage().rss;
  await eventually(() => app.open === 0, 15_000);
  // Half a megabyte in hand for each at most, and this very process holds both other ends too.
  expect(process.memoryUsage().rss - before).toBeLessThan(readers * 2 * MB);
  for (const client of clients) client.socket.terminate();
  await nobodyLeft();
}, 30_000);

test("a flood of connections that say nothing is shed at the limit, and served again after it", async () => {
  const small = await TestPlane.start({ limits: { connections: 50, headTimeoutMs: 1_000 } });
  const app = backend(answering(OK));
  await small.route([routeTo(app.port)]);
  const early = await RawClient.connect(small.port);
  const silent = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(small.port)));
  early.send(CLOSE);
  await early.until("ok");
  await eventually(() => silent.every((client) => client.ended), 15_000);
  expect(silent.filter((client) => client.received.includes("overloaded")).length).toBeGreaterThanOrEqual(
    150,
  );
  for (const client of [early, ...silent]) client.close();
  await eventually(async () => (await small.state()).connections === 0);
  expect(await exchange(small.port, CLOSE)).toEndWith("ok");
  await small.stop();
}, 30_000);
