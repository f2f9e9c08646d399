import { expect, test } from "bun:test";
import { type AccessFacts, writeCombinedLine, writeJsonLine } from "../../src/proxy/access-log-format.ts";
import { ByteWriter } from "../../src/proxy/byte-writer.ts";

const facts = (more: Partial<AccessFacts> = {}): AccessFacts => ({
  at: Date.UTC(2026, 10, 21, 9, 5, 3, 7),
  requestId: "0123456789abcdef",
  remoteAddress: "192.0.2.7",
  method: "GET",
  host: "blog.test",
  target: "/a?b=c",
  minorVersion: 1,
  status: 200,
  bytesIn: 0,
  bytesOut: 1234567890123,
  durationMs: 12.3456,
  firstByteMs: 0.05,
  instance: "i0",
  release: 3,
  userAgent: "curl/8",
  referer: "",
  error: "",
  tls: "",
  ...more,
});

function written(write: (out: ByteWriter, facts: AccessFacts) => void, ...all: AccessFacts[]): string {
  const out = new ByteWriter(16);
  for (const each of all) write(out, each);
  return out.view().toString("latin1");
}

test("writeJsonLine says every fact, numbers as JavaScript writes them", () => {
  expect(written(writeJsonLine, facts())).toBe(
    '{"time":"2026-11-21T09:05:03.007Z","request_id":"0123456789abcdef","remote_address":"192.0.2.7","method":"GET",' +
      '"host":"blog.test","path":"/a?b=c","status":200,"bytes_in":0,"bytes_out":1234567890123,"duration_ms":12.346,' +
      '"first_byte_ms":0.05,"instance":"i0","release":3,"user_agent":"curl/8","referer":null,"error":null,"tls":null}\n',
  );
});

test("writeJsonLine rounds times to the microsecond", () => {
  for (const [ms, words] of [
    [0, "0"],
    [0.0004, "0"],
    [0.0005, "0.001"],
    [0.1, "0.1"],
    [0.9996, "1"],
    [5, "5"],
    [10.01, "10.01"],
    [3_600_000.25, "3600000.25"],
  ] as const)
    expect(written(writeJsonLine, facts({ durationMs: ms }))).toContain(`"duration_ms":${words},`);
});

test("writeJsonLine tells lines apart that differ in one fact", () => {
  const changes: Partial<AccessFacts>[] = [
    { at: facts().at + 1000 },
    { remoteAddress: "192.0.2.8" },
    { method: "PUT" },
    { host: "other.test" },
    { instance: "i1" },
    { instance: "", release: 0 },
    { release: 4 },
    { userAgent: "" },
    { referer: "http://x.test/" },
    { error: "unhealthy" },
    { tls: "TLSv1.3" },
    { firstByteMs: undefined },
  ];
  for (const change of changes) {
    const [before, after, again] = written(writeJsonLine, facts(), facts(change), facts())
      .trimEnd()
      .split("\n");
    expect(after).toBe(written(writeJsonLine, facts(change)).trimEnd());
    expect(after).not.toBe(before);
    expect(again).toBe(before);
  }
});

test("writeJsonLine's texts cannot end a line or forge one", () => {
  const evil = 'a"\\\n\x1b[2J\xe9';
  const line = written(
    writeJsonLine,
    facts({ target: evil, userAgent: evil, referer: evil, requestId: evil }),
  );
  expect(line.match(/[^\x20-\x7e]/g)).toEqual(["\n"]);
  expect(JSON.parse(line)).toMatchObject({ path: evil, user_agent: evil, referer: evil, request_id: evil });
});

test("writeCombinedLine is Apache's combined format", () => {
  expect(written(writeCombinedLine, facts({ referer: 'x"y' }))).toBe(
    '192.0.2.7 - - [21/Nov/2026:09:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 1234567890123 "x\\x22y" "curl/8"\n',
  );
});
