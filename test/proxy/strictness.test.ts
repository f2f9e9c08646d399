import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { answering, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const HOST = "Host: blog.test\r\n";
/** [what, bytes]: refused with 400 and closed, and the backend sees nothing of it. RFC 9112 unless said otherwise. */
const REFUSED: [string, string][] = [
  [
    "two Content-Length (6.3)",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  ],
  [
    "equal Content-Length twice (6.3)",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  ],
  ["a list as Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: 3, 3\r\n\r\nabc`],
  ["signed Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: +3\r\n\r\nabc`],
  ["negative Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: -3\r\n\r\nabc`],
  ["hexadecimal Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x3\r\n\r\nabc`],
  ["empty Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\nabc`],
  ["overflowing Content-Length", `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\nabc`],
  [
    "Content-Length and Transfer-Encoding (6.1)",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "Transfer-Encoding and Content-Length (6.1)",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  ],
  ["unknown coding", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["gzip, chunked", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["chunked, chunked", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ["chunked, identity", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ["quoted chunked", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
  [
    "Transfer-Encoding twice",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ["Transfer-Encoding in HTTP/1.0", `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["Transfer_Encoding", `POST / HTTP/1.1\r\n${HOST}Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["Content_Length", `POST / HTTP/1.1\r\n${HOST}Content_Length: 5\r\n\r\nabcde`],
  ["space before the colon (5.1)", `POST / HTTP/1.1\r\n${HOST}Content-Length : 3\r\n\r\nabc`],
  ["tab before the colon", `GET / HTTP/1.1\r\n${HOST}X-A\t: 3\r\n\r\n`],
  ["folded line (5.2)", `GET / HTTP/1.1\r\n${HOST}X-A: a\r\n b\r\n\r\n`],
  ["folded by a tab", `GET / HTTP/1.1\r\n${HOST}X-A: a\r\n\tb\r\n\r\n`],
  ["white space before the first field (2.2)", `GET / HTTP/1.1\r\n ${HOST}\r\n`],
  ["bare LF in the request line", `GET / HTTP/1.1\n${HOST}\r\n`],
  ["bare LF after a field", `GET / HTTP/1.1\r\nHost: blog.test\nX-A: b\r\n\r\n`],
  ["bare LF as the end", `GET / HTTP/1.1\r\n${HOST}\n`],
  ["bare CR in a value", `GET / HTTP/1.1\r\n${HOST}X-A: a\rb\r\n\r\n`],
  ["bare CR after a field", `GET / HTTP/1.1\r\n${HOST}X-A: a\rX-B: b\r\n\r\n`],
  ["NUL in a value", `GET / HTTP/1.1\r\n${HOST}X-A: a\0b\r\n\r\n`],
  ["control character in a value", `GET / HTTP/1.1\r\n${HOST}X-A: a\x01b\r\n\r\n`],
  ["DEL in a value", `GET / HTTP/1.1\r\n${HOST}X-A: a\x7fb\r\n\r\n`],
  ["empty field name", `GET / HTTP/1.1\r\n${HOST}: a\r\n\r\n`],
  ["a line without a colon", `GET / HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`],
  ["brackets in a field name", `GET / HTTP/1.1\r\n${HOST}X(A): b\r\n\r\n`],
  ["non-ASCII in a field name", `GET / HTTP/1.1\r\n${HOST}X-\xe9: b\r\n\r\n`],
  ["two Host (3.2)", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ["no Host (3.2)", `GET / HTTP/1.1\r\nX-A: b\r\n\r\n`],
  ["empty Host", `GET / HTTP/1.1\r\nHost:\r\n\r\n`],
  ["Host with user information", `GET / HTTP/1.1\r\nHost: user@blog.test\r\n\r\n`],
  ["Host with a path", `GET / HTTP/1.1\r\nHost: blog.test/x\r\n\r\n`],
  ["Host with a list", `GET / HTTP/1.1\r\nHost: blog.test, other.test\r\n\r\n`],
  ["Host with a bad port", `GET / HTTP/1.1\r\nHost: blog.test:99999\r\n\r\n`],
  ["Host with a word as port", `GET / HTTP/1.1\r\nHost: blog.test:http\r\n\r\n`],
  ["absolute-form that disagrees with Host (3.2.2)", `GET http://other.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form with user information", `GET http://u@blog.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form of another scheme", `GET ftp://blog.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ["authority-form", `CONNECT blog.test:443 HTTP/1.1\r\n${HOST}\r\n`],
  ["asterisk-form with GET", `GET * HTTP/1.1\r\n${HOST}\r\n`],
  ["relative target", `GET index.html HTTP/1.1\r\n${HOST}\r\n`],
  ["fragment in the target", `GET /#a HTTP/1.1\r\n${HOST}\r\n`],
  ["non-ASCII in the target", `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`],
  ["tab in the request line", `GET\t/ HTTP/1.1\r\n${HOST}\r\n`],
  ["two spaces in the request line", `GET  / HTTP/1.1\r\n${HOST}\r\n`],
  ["space after the version", `GET / HTTP/1.1 \r\n${HOST}\r\n`],
  ["HTTP/0.9", `GET /\r\n`],
  ["HTTP/2.0", `GET / HTTP/2.0\r\n${HOST}\r\n`],
  ["HTTP/1.2", `GET / HTTP/1.2\r\n${HOST}\r\n`],
  ["lower-case version", `GET / http/1.1\r\n${HOST}\r\n`],
  ["two-digit version", `GET / HTTP/1.10\r\n${HOST}\r\n`],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a method that is no token", `G(T / HTTP/1.1\r\n${HOST}\r\n`],
  ["two empty lines first", `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`],
  ["a path above the root", `GET /../secret HTTP/1.1\r\n${HOST}\r\n`],
  ["an encoded path above the root", `GET /%2E%2e/secret HTTP/1.1\r\n${HOST}\r\n`],
  ["an unknown expectation", `POST / HTTP/1.1\r\n${HOST}Expect: 200-ok\r\nContent-Length: 1\r\n\r\na`],
  ["TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
];

/** Bodies that are malformed after a good head: the head has gone ahead, so here the point is 400, closed, and cut upstream. */
const BAD_CHUNKS: [string, string][] = [
  ["no size", "\r\nabc\r\n0\r\n\r\n"],
  ["a size that is no number", "x\r\nabc\r\n0\r\n\r\n"],
  ["a signed size", "+3\r\nabc\r\n0\r\n\r\n"],
  ["0x before the size", "0x3\r\nabc\r\n0\r\n\r\n"],
  ["space before the size", " 3\r\nabc\r\n0\r\n\r\n"],
  ["space after the size", "3 \r\nabc\r\n0\r\n\r\n"],
  ["an overflowing size", "fffffffffffffffff\r\nabc"],
  ["bare LF after the size", "3\nabc\r\n0\r\n\r\n"],
  ["bare CR after the size", "3\rabc\r\n0\r\n\r\n"],
  ["bare LF after the data", "3\r\nabc\n0\r\n\r\n"],
  ["data longer than the size", "3\r\nabcd\r\n0\r\n\r\n"],
  ["LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"],
  ["NUL in an extension", "3;a\0b\r\nabc\r\n0\r\n\r\n"],
  ["endless extension", `3;${"a".repeat(5000)}\r\nabc\r\n0\r\n\r\n`],
  ["bare LF at the end", "3\r\nabc\r\n0\r\n\n"],
  ["a trailer that is no field", "3\r\nabc\r\n0\r\nnonsense\r\n\r\n"],
  ["a length among the trailers", "3\r\nabc\r\n0\r\nContent-Length: +5\r\n\r\n"],
  ["a coding among the trailers", "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a lookalike among the trailers", "3\r\nabc\r\n0\r\nContent_Length: 5\r\n\r\n"],
  ["a folded trailer", "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n"],
];

describe("strictness of requests", () => {
  let plane: TestPlane;
  let backend: RawBackend;
  beforeAll(async () => {
    plane = await TestPlane.start();
    backend = new RawBackend(answering(OK));
    await plane.route([routeTo(backend.port)]);
  });
  afterAll(async () => {
    await plane.stop();
    backend.stop();
  });

  test.each(REFUSED)("refuses %s with 400, closed, nothing passed on", async (_, bytes) => {
    const answer = await exchange(plane.port, `${bytes}GET /next HTTP/1.1\r\n${HOST}\r\n`);
    expect(answer).toStartWith("HTTP/1.1 400 ");
    expect(answer).toContain("Connection: close\r\n");
    expect(answer.match(/HTTP\/1\.1 \d/g)?.length).toBe(1);
    expect(backend.received).toBe("");
  });

  test.each(REFUSED)("refuses %s as well when it comes byte by byte", async (_, bytes) => {
    const client = await RawClient.connect(plane.port);
    for (const byte of bytes) {
      if (client.ended) break;
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!client.ended) client.send(`GET /next HTTP/1.1\r\n${HOST}\r\n`);
    expect(await client.untilEnd()).toStartWith("HTTP/1.1 400 ");
    expect(backend.received).toBe("");
    client.close();
  });

  test.each(BAD_CHUNKS)(
    "refuses a chunked body with %s, and the app sees no second request",
    async (_, body) => {
      const app = new RawBackend(() => {});
      await plane.route([routeTo(app.port, { first_byte_timeout_ms: 2_000 })]);
      const head = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
      const answer = await exchange(plane.port, `${head}${body}GET /next HTTP/1.1\r\n${HOST}\r\n`);
      expect(answer).toStartWith("HTTP/1.1 400 ");
      expect(app.received).not.toContain("/next");
      app.stop();
      await plane.route([routeTo(backend.port)]);
    },
  );

  test("one empty line before a request is forgiven (2.2)", async () => {
    const answer = await exchange(plane.port, `\r\nGET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 200 ");
  });

  test("header limits answer 431", async () => {
    const big = await exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(40_000)}\r\n\r\n`);
    expect(big).toStartWith("HTTP/1.1 431 ");
    const many = await exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}${"X-A: b\r\n".repeat(101)}\r\n`);
    expect(many).toContain("X-Diplo-Error: header_too_large");
    const uri = await exchange(plane.port, `GET /${"a".repeat(9_000)} HTTP/1.1\r\n${HOST}\r\n`);
    expect(uri).toStartWith("HTTP/1.1 431 ");
  });
});

/** [what, bytes of the app, what the client may see]. */
const HOSTILE: [string, string][] = [
  ["garbage", "hello world, this is no answer\r\n\r\n"],
  ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"],
  ["a status that is no number", "HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status beginning with 0", "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"],
  ["two Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
  [
    "Content-Length and Transfer-Encoding",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a malformed Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab"],
  ["a folded field", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"],
  ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
  ["bare CR in a value", "HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: x=y\r\nContent-Length: 0\r\n\r\n"],
  ["NUL in a value", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"],
  ["a bad first chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"],
  ["101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
  ["an endless head", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(100_000)}`],
  ["too many fields", `HTTP/1.1 200 OK\r\n${"X-A: b\r\n".repeat(200)}\r\n`],
];

describe("strictness of answers", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    plane = await TestPlane.start();
  });
  afterAll(() => plane.stop());

  test.each(HOSTILE)(
    "an app that answers with %s costs a 502, its connection, and nobody else",
    async (_, bytes) => {
      const app = new RawBackend((connection) => void connection.socket.write(Buffer.from(bytes, "latin1")));
      await plane.route([routeTo(app.port)]);
      const client = await RawClient.connect(plane.port);
      client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
      const answer = await client.until("X-Diplo-Error: connection_failed");
      expect(answer).toStartWith("HTTP/1.1 502 ");
      await Bun.sleep(0);
      expect(app.open).toBe(0);
      client.close();
      app.stop();
    },
  );

  test("a second answer is never delivered to the next request", async () => {
    let first = true;
    const app = new RawBackend((connection) => {
      connection.pending = "";
      connection.socket.write(first ? OK + OK.replace("ok", "xx") : OK);
      first = false;
    });
    await plane.route([routeTo(app.port)]);
    const client = await RawClient.connect(plane.port);
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    await client.until("ok");
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    await client.until(/ok.*ok/s);
    expect(client.received).not.toContain("xx");
    expect(app.connections.length).toBe(2);
    client.close();
    app.stop();
  });

  test("an answer that comes late on a pooled connection is never delivered", async () => {
    const app = new RawBackend((connection) => {
      connection.pending = "";
      connection.socket.write(OK);
      setTimeout(() => connection.socket.write(OK.replace("ok", "xx")), 20);
    });
    await plane.route([routeTo(app.port)]);
    const client = await RawClient.connect(plane.port);
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    await client.until("ok");
    const [connection] = app.connections;
    const end = performance.now() + 2_000;
    while (!connection!.closed && performance.now() < end) await Bun.sleep(2);
    expect(connection!.closed).toBe(true);
    expect(client.received).not.toContain("xx");
    client.close();
    app.stop();
  });

  test.each([
    ["Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"],
  ])("an answer truncated by %s is cut, never completed", async (_, bytes) => {
    const app = new RawBackend((connection) => {
      connection.socket.write(bytes);
      connection.socket.end();
    });
    await plane.route([routeTo(app.port)]);
    const answer = await exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(answer).toContain("abc");
    expect(answer).not.toEndWith("0\r\n\r\n");
    app.stop();
  });

  test("a broken chunk in mid-answer cuts the connection", async () => {
    const app = new RawBackend((connection) => {
      connection.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      setTimeout(() => connection.socket.write("zz\r\n"), 20);
    });
    await plane.route([routeTo(app.port)]);
    const answer = await exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(answer).toContain("abc");
    expect(answer).not.toContain("zz");
    app.stop();
  });
});
