import { afterEach, expect, test } from "bun:test";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { AccessLogFile } from "../../src/proxy/access-log-file.ts";
import { openLibc } from "../../src/proxy/libc.ts";
import { eventually } from "./harness.ts";

const made: string[] = [];

afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "access-log-file-"));
  made.push(directory);
  return join(directory, "blog.log");
}

const opened = (path: string, flushMs = 5) =>
  new AccessLogFile({ path, log: createLog("error"), libc: openLibc(), flushMs });

const add = (file: AccessLogFile, text: string) => file.add((out) => out.text(text));

const linesOf = async (path: string) =>
  (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1);

test("AccessLogFile.add writes lines together, in order, and lets go of the file when there are no more", async () => {
  const path = await place();
  const file = opened(path);
  for (let i = 0; i < 100; i++) add(file, `line ${i}\n`);
  await eventually(async () => (await linesOf(path)).length === 100);
  expect(await linesOf(path)).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  const holds = async () => {
    const links = await Promise.all(
      (await readdir("/proc/self/fd")).map((fd) =>
        Bun.$`readlink /proc/${process.pid}/fd/${fd}`.nothrow().text(),
      ),
    );
    return links.some((link) => link.trim() === path);
  };
  await eventually(async () => !(await holds()));
  await file.close();
});

test("AccessLogFile.close writes what still waits", async () => {
  const path = await place();
  const file = opened(path, 60_000);
  add(file, "last\n");
  await file.close();
  expect(await linesOf(path)).toEqual(["last"]);
});

test("AccessLogFile rotates at 10 MB, keeps three files, and loses no line of several writers", async () => {
  const path = await place();
  const files = [opened(path), opened(path), opened(path)];
  const line = (who: number, i: number) => `${who} ${i} ${"x".repeat(1_000)}\n`;
  // More than two files hold, also when writers cross over the limit together.
  const each = 8_000;
  for (let i = 0; i < each; i++) {
    for (const [who, file] of files.entries()) add(file, line(who, i));
    if (i % 100 === 0) await Bun.sleep(1);
  }
  for (const file of files) await file.close();
  expect(files.map(({ dropped }) => dropped)).toEqual([0, 0, 0]);
  const all: string[] = [];
  for (const name of [`${path}.2`, `${path}.1`, path]) {
    expect((await stat(name)).size).toBeLessThanOrEqual(11 * 1024 * 1024);
    all.push(...(await linesOf(name)));
  }
  expect(all.every((text) => /^[012] \d+ x{1000}$/.test(text))).toBe(true);
  expect(new Set(all.map((text) => text.slice(0, 8).replace(/ x.*/, ""))).size).toBe(3 * each);
  expect(await readdir(join(path, ".."))).toHaveLength(3);
}, 20_000);

test("AccessLogFile counts what cannot be written, makes nobody wait, and goes on when the disk does", async () => {
  const path = await place();
  const file = opened(join(path, "..", "gone", "blog.log"));
  add(file, "lost\n");
  await eventually(() => file.dropped === 1);
  const many = "x".repeat(99_999);
  const startedAt = performance.now();
  for (let i = 0; i < 200; i++) add(file, `${many}\n`);
  expect(performance.now() - startedAt).toBeLessThan(500);
  await eventually(() => file.dropped === 201);
  await mkdir(join(path, "..", "gone"));
  add(file, "found\n");
  await eventually(async () => (await linesOf(join(path, "..", "gone", "blog.log"))).at(-1) === "found");
  expect(file.dropped).toBe(0);
  await file.close();
});

test("AccessLogFile goes on in a new file when somebody moved or removed the old one", async () => {
  const path = await place();
  const file = opened(path);
  add(file, "first\n");
  await eventually(async () => (await linesOf(path)).length === 1);
  await rename(path, `${path}.moved`);
  add(file, "second\n");
  await eventually(async () => (await linesOf(path)).length === 1);
  expect(await linesOf(path)).toEqual(["second"]);
  await file.close();
});

test("AccessLogFile follows no link", async () => {
  const path = await place();
  const secret = join(path, "..", "secret");
  await writeFile(secret, "");
  await symlink(secret, path);
  const file = opened(path);
  add(file, "line\n");
  await eventually(() => file.dropped === 1);
  expect(await readFile(secret, "utf8")).toBe("");
  await rm(path);
  await appendFile(path, "");
  add(file, "line\n");
  await eventually(async () => (await linesOf(path)).length === 1);
  await file.close();
});
