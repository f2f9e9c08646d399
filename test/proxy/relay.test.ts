import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  answering,
  type BackendConnection,
  eventually,
  exchange,
  OK,
  PROBE_TOKEN,
  RawBackend,
  RawClient,
  routeTo,
  TestPlane,
} from "./harness.ts";

const HOST = "Host: blog.test\r\n";
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const CLOSE = `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;

let plane: TestPlane;
const backends: RawBackend[] = [];

/** An app for one test, routed at blog.test. */
async function app(respond: (connection: BackendConnection) => void, more = {}): Promise<RawBackend> {
  const backend = new RawBackend(respond);
  backends.push(backend);
  await plane.route([routeTo(backend.port, more)]);
  return backend;
}

beforeAll(async () => {
  plane = await TestPlane.start({ limits: { lingerMs: 300 } });
});
afterAll(() => plane.stop());
afterEach(async () => {
  for (const backend of backends.splice(0)) backend.stop();
  // Whatever a test did, nothing may stay open or counted.
  await eventually(async () => {
    const state = await plane.state();
    return state.connections === 0 && Object.values(state.in_flight).every((n) => n === 0);
  });
});

describe("requests", () => {
  test("a request reaches the app and its answer the client", async () => {
    const backend = await app(answering(OK));
    expect(await exchange(plane.port, CLOSE)).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    );
    expect(backend.received).toStartWith("GET / HTTP/1.1\r\nHost: blog.test\r\n");
  });

  test("pipelined requests are answered in order over one connection each way", async () => {
    let n = 0;
    const backend = await app((connection) => {
      while (connection.pending.includes("\r\n\r\n")) {
        connection.pending = connection.pending.slice(connection.pending.indexOf("\r\n\r\n") + 4);
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${++n}`);
      }
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET + GET + GET);
    await client.until(/1HTTP.*\r\n\r\n2HTTP.*\r\n\r\n3$/s);
    expect(backend.connections.length).toBe(1);
    client.close();
  });

  test("a body by length arrives whole, also in pieces, and what follows it is the next request", async () => {
    const backend = await app((connection) => {
      if (
        /abcdef$|\r\n\r\n$/.test(connection.pending) &&
        !/Length: 6\r\n.*\r\n\r\n$/s.test(connection.pending)
      ) {
        connection.pending = "";
        connection.socket.write(OK);
      }
    });
    const client = await RawClient.connect(plane.port);
    client.send(`POST /a HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nabc`);
    await eventually(() => backend.received.includes("abc"));
    client.send(`def${GET}`);
    await client.until(/ok.*ok$/s);
    expect(backend.received).toContain("\r\n\r\nabcdefGET / HTTP/1.1");
    client.close();
  });

  test("a chunked body arrives with its chunks; extensions are cut out, trailers pass unless they could mislead", async () => {
    const backend = await app((connection) => {
      if (connection.pending.includes("\r\n0\r\n") && connection.pending.endsWith("\r\n\r\n"))
        connection.socket.write(OK);
    });
    const trailers = "X-Sum: 1\r\nHost: b.test\r\nX-Forwarded-For: 6.6.6.6\r\n";
    const body = `3;name=value\r\nabc\r\n04\r\ndefg\r\n0\r\n${trailers}\r\n`;
    const answer = await exchange(
      plane.port,
      `POST / HTTP/1.1\r\n${HOST}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    );
    expect(answer).toEndWith("ok");
    expect(backend.received).toEndWith("\r\n\r\n3\r\nabc\r\n04\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n");
  });

  test("a chunked body split at every byte arrives the same", async () => {
    const body = "3;x\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    for (let cut = 1; cut < body.length; cut++) {
      const backend = await app((connection) => {
        if (connection.pending.endsWith("X-Sum: 1\r\n\r\n")) connection.socket.write(OK);
      });
      const client = await RawClient.connect(plane.port);
      client.send(
        `POST / HTTP/1.1\r\n${HOST}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body.slice(0, cut)}`,
      );
      await Bun.sleep(1);
      client.send(body.slice(cut));
      await client.until("ok");
      expect(backend.received).toEndWith("\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
      client.close();
    }
  });

  test("Expect: 100-continue is the app's to answer", async () => {
    await app((connection) => {
      if (connection.pending.endsWith("\r\n\r\n")) connection.socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      else if (connection.pending.endsWith("abc")) connection.socket.write(OK);
    });
    const client = await RawClient.connect(plane.port);
    client.send(`POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    await client.until("ok");
    client.close();
  });

  test("a body that the app refuses before it came ends with its answer and a closed connection", async () => {
    const backend = await app(answering("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"));
    const client = await RawClient.connect(plane.port);
    client.send(`POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n`);
    await client.until("413");
    expect(await client.untilEnd()).toContain("Connection: close");
    await eventually(() => backend.open === 0);
    client.close();
  });

  test("a body over the app's limit is refused with 413, by length and by chunks", async () => {
    const backend = await app(() => {}, { max_body_bytes: 10 });
    const byLength = await exchange(plane.port, `POST / HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\n`);
    expect(byLength).toStartWith("HTTP/1.1 413 ");
    expect(backend.received).toBe("");
    const byChunks = await exchange(
      plane.port,
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n`,
    );
    expect(byChunks).toContain("X-Diplo-Error: body_too_large");
  });

  test("GET with a body is passed on, and neither connection is used again", async () => {
    const backend = await app((connection) => {
      if (connection.pending.endsWith("abc")) connection.socket.write(OK);
    });
    const answer = await exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc${GET}`);
    expect(answer).toEndWith("Connection: close\r\n\r\nok");
    expect(backend.received).toContain("Connection: close\r\n");
    await eventually(() => backend.open === 0);
    expect(backend.received.match(/HTTP\/1\.1/g)?.length).toBe(1);
  });

  test("dot segments are resolved before routing and forwarding, everything else stays as it is", async () => {
    const backend = await app(answering(OK));
    const cases: [string, string][] = [
      ["/a/./b/../c", "/a/c"],
      ["/a/%2e%2E/b", "/b"],
      ["/a/..", "/"],
      ["/a//b/%2f/%20?x=/../y", "/a//b/%2f/%20?x=/../y"],
      ["/.well-known/x", "/.well-known/x"],
      ["/a/...", "/a/..."],
      ["http://BLOG.test/abs?q", "/abs?q"],
      ["http://blog.test?q", "/?q"],
    ];
    for (const [given, forwarded] of cases) {
      await exchange(plane.port, CLOSE.replace("GET /", `GET ${given}`));
      expect(backend.received).toContain(`GET ${forwarded} HTTP/1.1\r\n`);
      for (const connection of backend.connections) connection.received = "";
    }
  });

  test("OPTIONS * is passed on", async () => {
    const backend = await app(answering(OK));
    await exchange(plane.port, CLOSE.replace("GET /", "OPTIONS *"));
    expect(backend.received).toStartWith("OPTIONS * HTTP/1.1\r\n");
  });
});

describe("header fields of requests", () => {
  const send = async (fields: string, host = HOST) => {
    const backend = await app(answering(OK));
    await exchange(plane.port, `GET / HTTP/1.1\r\n${host}${fields}Connection: close\r\n\r\n`);
    return backend.received;
  };

  test("hop-by-hop fields, and those that Connection names, stay here", async () => {
    const seen = await send(
      "Connection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nX-Open: 2\r\n",
    );
    expect(seen).toContain("X-Open: 2");
    for (const name of ["X-Secret", "Keep-Alive", "TE:", "Proxy-", "Connection:"])
      expect(seen).not.toContain(name);
  });

  test("Connection cannot take away what the proxy says", async () => {
    const seen = await send(
      "Connection: X-Forwarded-For, X-Forwarded-Proto, Host, X-Request-ID, Content-Length\r\n",
    );
    expect(seen).toContain("Host: blog.test\r\n");
    expect(seen).toContain("X-Forwarded-For: 127.0.0.1\r\n");
    expect(seen).toContain("X-Forwarded-Proto: http\r\n");
  });

  test("what a stranger says of the client is replaced, spelled with underscores too", async () => {
    const seen = await send(
      "X-Forwarded-For: 6.6.6.6\r\nx_forwarded_for: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n" +
        "Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Port: 666\r\nX-Request-ID: evil\r\nX-Diplo-Instance: evil\r\n",
    );
    expect(seen).not.toContain("6.6.6.6");
    expect(seen).not.toContain("evil");
    expect(seen).not.toContain("666\r");
    expect(seen).toContain("X-Forwarded-For: 127.0.0.1\r\n");
    expect(seen).toContain("X-Forwarded-Proto: http\r\n");
    expect(seen).toContain("X-Forwarded-Host: blog.test\r\n");
    expect(seen).toContain('Forwarded: for=127.0.0.1;host="blog.test";proto=http\r\n');
    expect(seen).toMatch(/X-Request-ID: [0-9a-f]{32}\r\n/);
  });

  test("a trusted peer is believed, and its chain grows by its own address", async () => {
    const backend = await app(answering(OK));
    await plane.route([routeTo(backend.port)], {
      settings: { own_cookies: [], probe_token: "", trusted_proxies: ["127.0.0.0/8"] },
    });
    await exchange(
      plane.port,
      `GET / HTTP/1.1\r\n${HOST}X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-ID: abc\r\nConnection: close\r\n\r\n`,
    );
    expect(backend.received).toContain("X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n");
    expect(backend.received.match(/X-Forwarded-Proto: https\r\n/g)?.length).toBe(1);
    expect(backend.received).not.toContain("X-Forwarded-Proto: http\r\n");
    expect(backend.received).toContain("X-Request-ID: abc\r\n");
    expect(backend.received).toContain("X-Forwarded-Host: blog.test\r\n");
  });

  test("Host is normalised: case, trailing dot; its port stays", async () => {
    expect(await send("", "Host: BLOG.Test.:8080\r\n")).toContain("Host: blog.test:8080\r\n");
  });

  test("the dashboard's cookie never reaches an app, other cookies do", async () => {
    expect(await send("Cookie: a=1; diplo_session=secret; b=2\r\n")).toContain("Cookie: a=1; b=2\r\n");
    expect(await send("Cookie: diplo_session=secret\r\n")).not.toContain("Cookie");
    expect(await send("Cookie: =diplo_session=secret\r\n")).not.toContain("secret");
    expect(await send("Cookie: xdiplo_session=mine\r\n")).toContain("Cookie: xdiplo_session=mine\r\n");
  });

  test("only the probe's secret reveals the instance, and it goes no further", async () => {
    const backend = await app(answering(OK.replace("\r\n\r\n", "\r\nX-Diplo-Instance: forged\r\n\r\n")));
    const probe = (token: string) =>
      exchange(plane.port, `GET / HTTP/1.1\r\n${HOST}X-Diplo-Probe: ${token}\r\nConnection: close\r\n\r\n`);
    expect(await probe(PROBE_TOKEN)).toContain("X-Diplo-Instance: i0\r\n");
    expect(await probe("wrong")).not.toContain("X-Diplo-Instance");
    expect(backend.received).not.toContain("X-Diplo-Probe");
    expect(backend.received).not.toContain(PROBE_TOKEN);
  });

  test("h2c is not offered to the app", async () => {
    const seen = await send(
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n",
    );
    expect(seen).not.toContain("h2c");
    expect(seen).not.toContain("HTTP2-Settings");
  });
});

describe("answers", () => {
  test("HEAD has no body, whatever it promises, and the connection goes on", async () => {
    await app((connection) => {
      const head = connection.pending.startsWith("HEAD");
      connection.pending = "";
      connection.socket.write(head ? "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" : OK);
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET.replace("GET", "HEAD"));
    await client.until("Content-Length: 100\r\n\r\n");
    client.send(GET);
    await client.until(/\r\n\r\nHTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n\r\nok$/);
    client.close();
  });

  test.each(["204 No Content", "304 Not Modified"])(
    "%s has no body and the connection goes on",
    async (status) => {
      await app(answering(`HTTP/1.1 ${status}\r\nX-A: b\r\n\r\n`));
      const client = await RawClient.connect(plane.port);
      client.send(GET + GET);
      await client.until(/X-A: b\r\n\r\nHTTP.*X-A: b\r\n\r\n$/s);
      client.close();
    },
  );

  test("a chunked answer passes with its trailers, extensions cut out", async () => {
    await app(
      answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"),
    );
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    await client.until("0\r\nX-Sum: 1\r\n\r\n");
    expect(client.received).toEndWith("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
    client.close();
  });

  test("an answer that ends with its connection is chunked for HTTP/1.1 and the client's connection goes on", async () => {
    await app((connection) => {
      connection.socket.write("HTTP/1.0 200 OK\r\n\r\nhello");
      connection.socket.end();
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    await client.until("5\r\nhello\r\n0\r\n\r\n");
    client.send(GET);
    await client.until(/hello.*hello/s);
    client.close();
  });

  test("HTTP/1.0 gets no chunks and no interim answers", async () => {
    await app(
      answering(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
      ),
    );
    const answer = await exchange(plane.port, `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`);
    expect(answer).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef");
  });

  test("HTTP/1.0 keep-alive works when the length is known", async () => {
    await app(answering(OK));
    const client = await RawClient.connect(plane.port);
    const request = `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`;
    client.send(request);
    await client.until("Connection: keep-alive\r\n\r\nok");
    client.send(request);
    await client.until(/ok.*ok/s);
    client.close();
  });

  test("early hints pass to HTTP/1.1", async () => {
    await app(answering(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
    expect(await exchange(plane.port, CLOSE)).toStartWith(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK",
    );
  });

  test("an app that never ends its hints waits for its client", async () => {
    let hinting: BackendConnection | undefined;
    await app((connection) => {
      hinting = connection;
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    client.socket.pause();
    await eventually(() => hinting !== undefined);
    const hints = Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(5_000));
    let sent = 0;
    // What the kernel's buffers hold goes out; after that nothing does any more.
    for (let refused = 0; refused < 40 && sent < 1 << 26; ) {
      const at = sent % hints.length;
      const taken = Math.max(0, hinting!.socket.write(hints, at, hints.length - at));
      sent += taken;
      refused = taken === 0 ? refused + 1 : 0;
      await Bun.sleep(5);
    }
    expect(sent).toBeLessThan(1 << 25);
    client.socket.terminate();
  });

  test("204 says nothing of chunks", async () => {
    await app(answering("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"));
    expect(await exchange(plane.port, CLOSE)).toBe("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  });

  test("an app cannot set the dashboard's cookie, by any spelling", async () => {
    await app(
      answering(
        "HTTP/1.1 200 OK\r\nSet-Cookie: diplo_session=evil\r\nSet-Cookie: a=b\r\nset-cookie:  =diplo_session=evil; Path=/\r\nSet-Cookie: diplo_session =evil\r\nContent-Length: 0\r\n\r\n",
      ),
    );
    const answer = await exchange(plane.port, CLOSE);
    expect(answer).not.toContain("evil");
    expect(answer).toContain("Set-Cookie: a=b\r\n");
  });

  test("hop-by-hop fields of an answer stay here", async () => {
    await app(
      answering(
        "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nX-Yours: 2\r\nContent-Length: 0\r\n\r\n",
      ),
    );
    const answer = await exchange(plane.port, CLOSE);
    expect(answer).toBe("HTTP/1.1 200 OK\r\nX-Yours: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });

  test("each event of a stream arrives at once", async () => {
    let stream: BackendConnection | undefined;
    await app((connection) => {
      stream = connection;
      connection.socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    await client.until("event-stream");
    for (const n of [1, 2, 3]) {
      stream?.socket.write(`9\r\ndata: ${n}\n\n\r\n`);
      await client.until(`data: ${n}`, 500);
    }
    // A client that closed looks like one that half-closed, until something is sent to it.
    client.close();
    await eventually(() => {
      stream?.socket.write("3\r\n: \n\r\n");
      return stream?.closed === true;
    });
  });

  test("a client that half-closed gets its answer", async () => {
    let ask: BackendConnection | undefined;
    await app((connection) => {
      ask = connection;
    });
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    client.socket.shutdown();
    await eventually(() => ask !== undefined);
    await Bun.sleep(20);
    ask?.socket.write(OK);
    expect(await client.untilEnd()).toEndWith("ok");
    client.close();
  });

  test("a body that came together with the client's end is passed on, half of one is no request", async () => {
    const backend = await app((connection) => {
      if (connection.received.endsWith("hello")) connection.socket.write(OK);
    });
    const ask = async (body: string) => {
      const client = await RawClient.connect(plane.port);
      client.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n${body}`);
      client.socket.shutdown();
      await client.untilEnd();
      client.close();
      return client.received;
    };
    expect(await ask("hello")).toEndWith("ok");
    expect(await ask("hel")).toBe("");
    await eventually(() => backend.open === 0);
  });

  test("a client that goes away ends its request at the app", async () => {
    const backend = await app(() => {});
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    await eventually(() => backend.open === 1);
    client.socket.terminate();
    await eventually(() => backend.open === 0);
  });

  test("an app that never answers gets 504 in time", async () => {
    const backend = await app(() => {}, { first_byte_timeout_ms: 300 });
    const client = await RawClient.connect(plane.port);
    client.send(GET);
    await client.until("X-Diplo-Error: request_timeout");
    expect(client.received).toStartWith("HTTP/1.1 504 ");
    await eventually(() => backend.open === 0);
    client.close();
  });
});

describe("upgrades", () => {
  const UPGRADE = `GET /ws HTTP/1.1\r\n${HOST}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`;
  const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  test("after 101 bytes go both ways, early ones too, and either end closes both", async () => {
    const backend = await app((connection) => {
      if (!connection.received.includes("\r\n\r\n")) return;
      const text = connection.pending;
      connection.pending = "";
      connection.socket.write(text.startsWith("GET") ? `${SWITCH}hello` : `echo ${text}`);
    });
    const client = await RawClient.connect(plane.port);
    client.send(UPGRADE);
    await client.until("\r\n\r\nhello");
    expect(client.received).toContain("Upgrade: websocket\r\n");
    expect(backend.received).toContain("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    client.send("one");
    await client.until("echo one");
    expect((await plane.state()).in_flight).toEqual({ i0: 1 });
    client.close();
    await eventually(() => backend.open === 0);
  });

  test("a tunnel may be silent for longer than an answer may take", async () => {
    let tunnel: BackendConnection | undefined;
    await app(
      (connection) => {
        if (!connection.received.startsWith("GET /ws")) return;
        tunnel = connection;
        connection.socket.write(SWITCH);
      },
      { first_byte_timeout_ms: 100 },
    );
    const client = await RawClient.connect(plane.port);
    client.send(UPGRADE);
    await client.until("101");
    // One that was asked later has run out of time.
    expect(await exchange(plane.port, CLOSE)).toContain("X-Diplo-Error: request_timeout");
    tunnel?.socket.write("at last");
    await client.until("at last");
    client.close();
  });

  test("a refused upgrade is an ordinary answer and the connection goes on", async () => {
    await app(answering("HTTP/1.1 426 Upgrade Required\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n"));
    const client = await RawClient.connect(plane.port);
    client.send(UPGRADE);
    await client.until("426");
    client.send(GET);
    await client.until(/426.*426/s);
    client.close();
  });

  test("an app that ends its side ends the tunnel", async () => {
    await app((connection) => {
      connection.socket.write(`${SWITCH}bye`);
      connection.socket.shutdown();
    });
    const client = await RawClient.connect(plane.port);
    client.send(UPGRADE);
    await client.until("bye");
    await client.untilEnd();
    client.close();
  });
});

describe("a real server behind", () => {
  test("Bun.serve and fetch: bodies, WebSocket echo, 100 requests at once", async () => {
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request, self) {
        if (self.upgrade(request)) return undefined;
        return new Response(await request.arrayBuffer(), { headers: { "x-method": request.method } });
      },
      websocket: { message: (ws, message) => void ws.send(message) },
    });
    await plane.route([routeTo(server.port!, { hosts: ["127.0.0.1"] })]);
    const url = `http://127.0.0.1:${plane.port}/`;
    const bodies = Array.from({ length: 100 }, (_, i) => `body ${i} `.repeat(i * 10));
    const echoed = await Promise.all(
      bodies.map(async (body) => (await fetch(url, { method: "POST", body, keepalive: false })).text()),
    );
    expect(echoed).toEqual(bodies);
    const ws = new WebSocket(url.replace("http", "ws"));
    const answer = await new Promise<string>((resolve) => {
      ws.onopen = () => ws.send("ping");
      ws.onmessage = (event) => resolve(String(event.data));
    });
    expect(answer).toBe("ping");
    ws.close();
    await server.stop(true);
  });
});
