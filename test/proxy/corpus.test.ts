import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { INCOMPLETE } from "../../src/proxy/fields.ts";
import { DEFAULT_LIMITS } from "../../src/proxy/limits.ts";
import { RequestHead } from "../../src/proxy/request-head.ts";
import {
  type BackendConnection,
  eventually,
  OK,
  RawBackend,
  RawClient,
  routeTo,
  TestPlane,
} from "./harness.ts";

/** The cases of http-desync-guardian lie beside the project, not in it. */
const CORPUS = join(import.meta.dir, "../../../shared/corpora/http-desync-guardian");

interface Case {
  name: string;
  uri: string;
  method?: string;
  version?: string;
  headers?: { name: string; value: string | number }[];
  expected: { tier: "Compliant" | "Acceptable" | "Ambiguous" | "Severe" };
}

/** Compliant to the corpus, refused here: our own rules are stricter, and each has its reason. */
const STRICTER: Record<string, string> = {
  "Correct TE OK": "a coding other than chunked cannot be undone by every app",
  "Transfer-Encoding: identity and chunked OK": "a coding other than chunked",
  "Multiple transfer encoding headers in a single request OK": "Transfer-Encoding more than once",
  "TE with custom parameters OK": "chunked has no parameters (RFC 9112 section 7.1)",
  "Different Transfer-Encoding headers": "Transfer-Encoding more than once",
  "Different Transfer-Encoding headers combined": "a coding other than chunked",
  "Transfer-Encoding with a param: chunked;custom_param": "Transfer-Encoding more than once",
  "Compliant URL": "a fragment is never sent (RFC 9112 section 3.2)",
  "International in URI": "a target is ASCII (RFC 3986)",
  "Empty URI": "a request line has a target (RFC 9112 section 3)",
};

function bytesOf(text: string): Buffer {
  return [...text].every((c) => c.charCodeAt(0) < 0x100) ? Buffer.from(text, "latin1") : Buffer.from(text);
}

function headOf({ uri, method, version, headers }: Case): Buffer {
  const list = headers ?? [];
  const lines = list.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
  const host = list.some(({ name }) => /^host$/i.test(name.trim())) ? "" : "Host: blog.test\r\n";
  const line = `${method ?? "GET"} ${uri}${version === "" ? "" : ` ${version ?? "HTTP/1.1"}`}\r\n`;
  return bytesOf(`${line}${host}${lines}\r\n`);
}

const MAX_BODY = 100_000;

function promisesTooMuch({ headers, expected }: Case): boolean {
  const length = (headers ?? []).find(({ name }) => /^content-length$/i.test(name));
  return expected.tier === "Compliant" && Number(length?.value ?? 0) > MAX_BODY;
}

function bodyOf({ headers }: Case): string {
  const find = (wanted: RegExp) => (headers ?? []).find(({ name }) => wanted.test(name));
  if (find(/transfer.encoding/i)) return "3\r\nabc\r\n0\r\n\r\n";
  const length = Number(find(/content.length/i)?.value ?? 0);
  return "a".repeat(Math.min(Number.isFinite(length) ? length : 0, MAX_BODY));
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n";

/** Answers when a request is complete by our own framing, as this proxy forwards it. */
function respond(connection: BackendConnection): void {
  for (;;) {
    const end = connection.pending.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = connection.pending.slice(0, end + 4);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const chunked = /\r\ntransfer-encoding: chunked/i.test(head);
    const size = chunked ? connection.pending.indexOf("0\r\n\r\n", end + 4) + 5 - end - 4 : length;
    if (size < 0 || connection.pending.length < end + 4 + size) return;
    connection.pending = connection.pending.slice(end + 4 + size);
    connection.socket.write(OK);
  }
}

const cases: [string, Case][] = existsSync(CORPUS)
  ? readdirSync(CORPUS)
      .filter((file) => file.endsWith(".yaml"))
      .flatMap((file) => Bun.YAML.parse(readFileSync(join(CORPUS, file), "utf8")) as Case[])
      .map((one, i) => [`${i} ${one.expected.tier}: ${JSON.stringify(one.name)}`, one])
  : [];
if (cases.length === 0) console.warn("skipped: the http-desync-guardian corpus is not beside this project");

describe.skipIf(cases.length === 0)("http-desync-guardian", () => {
  let plane: TestPlane;
  let backend: RawBackend;
  beforeAll(async () => {
    plane = await TestPlane.start({ limits: { lingerMs: 100 } });
    backend = new RawBackend(respond);
    // Whatever Host a case brings: an app's own port does not look at it.
    await plane.route([routeTo(backend.port, { port: plane.port })], { listeners: [] });
  });
  afterAll(async () => {
    await plane.stop();
    backend.stop();
  });

  const send = async (one: Case, byByte: boolean) => {
    for (const connection of backend.connections) connection.received = connection.pending = "";
    const client = await RawClient.connect(plane.port);
    const head = headOf(one);
    if (byByte) {
      for (let i = 0; i < head.length && !client.ended; i++) {
        client.socket.write(head.subarray(i, i + 1));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } else client.socket.write(head);
    if (!client.ended && promisesTooMuch(one)) {
      // Gigabytes are promised: that they are begun has to do.
      await eventually(() => backend.received.includes(one.uri));
      client.socket.terminate();
      return "";
    }
    if (!client.ended) client.send(bodyOf(one) + SMUGGLED);
    const answer = await client.untilEnd();
    client.close();
    return answer;
  };

  const judge = async (one: Case, answer: string) => {
    const refused = /^HTTP\/1\.1 4\d\d /.test(answer);
    const { tier } = one.expected;
    if (refused) {
      expect(backend.received).toBe("");
      expect(answer).toContain("Connection: close\r\n");
    }
    if (tier === "Severe") expect(answer).toStartWith("HTTP/1.1 400 ");
    if (tier === "Ambiguous" && !refused) {
      expect(backend.received).not.toContain("/smuggled");
      expect(answer).toContain("Connection: close\r\n");
      await eventually(() => backend.connections.every(({ received, closed }) => received === "" || closed));
    }
    if (tier === "Compliant") expect(refused).toBe(one.name in STRICTER);
    if (tier === "Compliant" && !refused) {
      expect(backend.received).toContain(`${one.method ?? "GET"} ${one.uri} HTTP/1.1\r\n`);
      for (const { name, value } of one.headers ?? []) {
        if (/^(connection|keep-alive|te|x-forwarded-.*|host)$/i.test(name)) continue;
        expect(backend.received.toLowerCase()).toContain(`${name}:`.toLowerCase());
        expect(backend.received).toContain(String(value).trim());
      }
      if (answer === "") return;
      expect(answer.match(/HTTP\/1\.1 200/g)?.length).toBe(
        /connection: close/i.test(headOf(one).toString()) ? 1 : 2,
      );
    }
  };

  test.each(cases)("%s", async (_, one) => judge(one, await send(one, false)));
  test.each(cases)("%s, byte by byte", async (_, one) => judge(one, await send(one, true)));

  test.each(cases)("%s: the same verdict however it is split", (_, one) => {
    const bytes = headOf(one);
    const head = new RequestHead(DEFAULT_LIMITS);
    const whole = head.parse(bytes, 0);
    for (let cut = 0; cut < bytes.length; cut++) {
      const early = head.parse(bytes.subarray(0, cut), 0);
      if (early !== INCOMPLETE) expect(early).toBe(whole);
    }
  });
});
