import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n";
const CLOSE = "GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";

describe("relay", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    plane = await TestPlane.start();
  });
  afterAll(() => plane.stop());

  test("a request reaches the app and its answer the client", async () => {
    const backend = new RawBackend(answering(OK));
    await plane.route([routeTo(backend.port)]);
    const answer = await exchange(plane.port, CLOSE);
    expect(answer).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    expect(backend.received).toStartWith("GET / HTTP/1.1\r\nHost: blog.test\r\n");
    expect(backend.received).toContain("X-Forwarded-For: 127.0.0.1\r\n");
    backend.stop();
  });

  test("keep-alive serves pipelined requests in order over one connection each way", async () => {
    let n = 0;
    const backend = new RawBackend((connection) => {
      while (connection.pending.includes("\r\n\r\n")) {
        connection.pending = connection.pending.slice(connection.pending.indexOf("\r\n\r\n") + 4);
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${++n}`);
      }
    });
    await plane.route([routeTo(backend.port)]);
    const client = await RawClient.connect(plane.port);
    client.send(GET + GET + GET);
    await client.until(/1HTTP.*\r\n\r\n2HTTP.*\r\n\r\n3$/s);
    expect(backend.connections.length).toBe(1);
    client.close();
    backend.stop();
  });

  test("an unknown host gets 404 with its code and nothing reaches an app", async () => {
    const backend = new RawBackend(answering(OK));
    await plane.route([routeTo(backend.port)]);
    const answer = await exchange(plane.port, CLOSE.replace("blog.test", "other.test"));
    expect(answer).toStartWith("HTTP/1.1 404 ");
    expect(answer).toContain("X-Diplo-Error: unknown_host");
    expect(backend.received).toBe("");
    backend.stop();
  });

  test("no descriptors or requests remain counted", async () => {
    await eventually(async () => (await plane.state()).connections === 0);
    expect(Object.values((await plane.state()).in_flight).reduce((a, b) => a + b, 0)).toBe(0);
  });
});
