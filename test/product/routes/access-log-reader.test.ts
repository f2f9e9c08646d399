import { afterEach, expect, test } from "bun:test";
import { appendFile, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessLogReader } from "../../../src/product/routes/access-log-reader.ts";

const made: string[] = [];

afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});

const OWNER = { app: "blog", name: "production" };
const line = (i: number) =>
  `{"time":"2026-11-21T10:00:${String(i % 60).padStart(2, "0")}.000Z","path":"/${i}"}\n`;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function log(): Promise<{ reader: AccessLogReader; path: string; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "access-log-"));
  made.push(directory);
  await mkdir(join(directory, "logs"));
  return { reader: new AccessLogReader(directory), path: join(directory, "logs", "blog.log"), directory };
}

async function paths(lines: AsyncIterable<{ text: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of lines) all.push((JSON.parse(text) as { path: string }).path);
  return all;
}

test("AccessLogReader.lines gives the latest, over rotated files, in order", async () => {
  const { reader, path } = await log();
  await writeFile(`${path}.1`, range(0, 5_000).map(line).join(""));
  await writeFile(path, `${range(5_000, 5_010).map(line).join("")}{"time":"half`);
  expect(await paths(reader.lines(OWNER, { lines: 12 }))).toEqual(range(4_998, 5_010).map((i) => `/${i}`));
  expect(await paths(reader.lines(OWNER, { lines: 3 }))).toEqual(["/5007", "/5008", "/5009"]);
  expect(await paths(reader.lines(OWNER, { lines: 10_000 }))).toHaveLength(5_010);
  expect(await paths(reader.lines(OWNER, { lines: 0 }))).toEqual([]);
});

test("AccessLogReader.lines leaves out what is older than `since`, and reads the combined format", async () => {
  const { reader, path } = await log();
  const combined = '127.0.0.1 - - [21/Nov/2026:10:00:05 +0000] "GET / HTTP/1.1" 200 2 "-" "-"';
  await writeFile(path, `${line(1)}${combined}\n`);
  const found: unknown[] = [];
  for await (const one of reader.lines(OWNER, { since: "2026-11-21T10:00:03Z" })) found.push(one);
  expect(found).toEqual([
    {
      at: "2026-11-21T10:00:05.000Z",
      text: combined,
      stream: "stdout",
      instance: "router",
      process: "router",
    },
  ]);
});

test("AccessLogReader.lines has failures as errors, in both formats, whatever a path says", async () => {
  const { reader, path } = await log();
  const json = (status: number) =>
    `{"time":"2026-11-21T10:00:00.000Z","path":"/,\\"status\\":503,","status":${status},"bytes_in":0}\n`;
  const combined = (status: number) =>
    `127.0.0.1 - - [21/Nov/2026:10:00:05 +0000] "GET /\\x22 503 HTTP/1.1" ${status} 2 "-" "-"\n`;
  await writeFile(path, [json(200), json(502), combined(404), combined(500)].join(""));
  const streams: string[] = [];
  for await (const { stream } of reader.lines(OWNER, {})) streams.push(stream);
  expect(streams).toEqual(["stdout", "stderr", "stdout", "stderr"]);
});

test("AccessLogReader.lines follows, also over a rotation, and ends with its signal", async () => {
  const { reader, path } = await log();
  await writeFile(path, line(0));
  const leaving = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const { text } of reader.lines(OWNER, { follow: true, signal: leaving.signal })) {
      seen.push(JSON.parse(text).path);
      if (seen.length === 1) await appendFile(path, `${line(1)}{"time":"2026-11-21T10:00:02.000Z",`);
      if (seen.length === 2) {
        await appendFile(path, '"path":"/2"}\n');
        await rename(path, `${path}.1`);
        await writeFile(path, line(3));
      }
      if (seen.length === 4) leaving.abort();
    }
  })();
  await following;
  expect(seen).toEqual(["/0", "/1", "/2", "/3"]);
});

test("AccessLogReader.lines of an app that logs nothing are none, and those of another environment its own", async () => {
  const { reader, path } = await log();
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
  await writeFile(path.replace("blog.log", "blog@staging.log"), line(7));
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
  expect(await paths(reader.lines({ ...OWNER, name: "staging" }, {}))).toEqual(["/7"]);
});

test("AccessLogReader.lines reads no link that the data plane could have planted", async () => {
  const { reader, path, directory } = await log();
  const secret = join(directory, "master.key");
  await writeFile(secret, line(9));
  await symlink(secret, path);
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
  await rm(path);
  await link(secret, path);
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
  await rm(path);
  await rename(join(directory, "logs"), join(directory, "elsewhere"));
  await writeFile(join(directory, "elsewhere", "blog.log"), line(9));
  await symlink(join(directory, "elsewhere"), join(directory, "logs"));
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
});

test("AccessLogReader.remove takes the rotated ones along", async () => {
  const { reader, path } = await log();
  for (const name of [path, `${path}.1`, `${path}.2`]) await writeFile(name, line(1));
  await reader.remove(OWNER);
  expect(await paths(reader.lines(OWNER, {}))).toEqual([]);
  expect(await Bun.file(`${path}.2`).exists()).toBe(false);
});
