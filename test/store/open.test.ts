import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { lockData } from "../../src/store/data-lock.ts";
import { openStore } from "../../src/store/open.ts";

const log = createLog("error", () => {});
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "diplo-store-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const options = (more = {}) => ({
  file: join(directory, "diplo.db"),
  backups: join(directory, "backups"),
  log,
  ...more,
});
const one = { version: 1, name: "one", sql: "create table a (x integer) strict; insert into a values (7)" };

test("openStore makes every table STRICT, with WAL, FULL and foreign keys", async () => {
  const store = await openStore(options());
  const loose = store.all(
    "select name from pragma_table_list where schema = 'main' and strict = 0 and name not like 'sqlite_%'",
  );
  expect(loose).toEqual([]);
  expect(store.get("pragma journal_mode")).toEqual({ journal_mode: "wal" });
  expect(store.get("pragma synchronous")).toEqual({ synchronous: 2 });
  expect(store.get("pragma foreign_keys")).toEqual({ foreign_keys: 1 });
  store.close();
});

test("openStore copies the database before a migration and keeps the old content in the copy", async () => {
  (await openStore(options({ migrations: [one] }))).close();
  const two = { version: 2, name: "two", sql: "drop table a" };
  const store = await openStore(options({ migrations: [one, two] }));
  expect(store.get("select name from sqlite_schema where name = 'a'")).toBeNull();
  const copy = new Database(join(directory, "backups/schema-1.db"), { readonly: true });
  expect(copy.query("select x from a").get()).toEqual({ x: 7 });
  copy.close();
  store.close();
});

test("openStore leaves the database as it was when a migration fails midway", async () => {
  (await openStore(options({ migrations: [one] }))).close();
  const broken = {
    version: 2,
    name: "two",
    sql: "create table b (x integer) strict; insert into nowhere values (1)",
  };
  await expect(openStore(options({ migrations: [one, broken] }))).rejects.toThrow("nowhere");
  const store = await openStore(options({ migrations: [one] }));
  expect(store.get("select name from sqlite_schema where name = 'b'")).toBeNull();
  expect(store.get("select x from a")).toEqual({ x: 7 });
  store.close();
});

test("openStore refuses a schema newer than it knows", async () => {
  const two = { version: 2, name: "two", sql: "create table b (x integer) strict" };
  (await openStore(options({ migrations: [one, two] }))).close();
  await expect(openStore(options({ migrations: [one] }))).rejects.toMatchObject({ code: "schema_newer" });
});

test("openStore refuses an emptied or vanished database of a box that has worked before", async () => {
  const file = join(directory, "diplo.db");
  await expect(openStore(options({ established: true }))).rejects.toMatchObject({ code: "database_emptied" });
  await writeFile(file, "");
  await expect(openStore(options({ established: true }))).rejects.toMatchObject({ code: "database_emptied" });
  expect((await stat(file)).size).toBe(0);
});

test("openStore takes the empty file that a killed first start left", async () => {
  await writeFile(join(directory, "diplo.db"), "");
  (await openStore(options())).close();
});

test("openStore keeps the database from other users of the machine", async () => {
  const store = await openStore(options());
  for (const name of ["diplo.db", "diplo.db-wal", "diplo.db-shm"])
    expect((await stat(join(directory, name))).mode & 0o077).toBe(0);
  store.close();
});

test("Store.transaction refuses asynchronous work and rolls it back", async () => {
  const store = await openStore(options({ migrations: [one] }));
  expect(() => store.transaction(async () => store.run("delete from a"))).toThrow("synchronous");
  expect(store.get("select x from a")).toEqual({ x: 7 });
  store.close();
});

test("lockData refuses a second daemon and is free again after the first", () => {
  const file = join(directory, "diplo.lock");
  const first = lockData(file);
  expect(() => lockData(file)).toThrow("another Diplo");
  first[Symbol.dispose]();
  lockData(file)[Symbol.dispose]();
  expect(existsSync(file)).toBe(true);
});

test("lockData is freed by the kernel when its holder is killed", async () => {
  const file = join(directory, "diplo.lock");
  const script = `import { lockData } from ${JSON.stringify(join(import.meta.dir, "../../src/store/data-lock.ts"))};
    globalThis.held = lockData(${JSON.stringify(file)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toContain("held");
  expect(() => lockData(file)).toThrow("another Diplo");
  child.kill("SIGKILL");
  await child.exited;
  lockData(file)[Symbol.dispose]();
});
