import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { Vault } from "../../src/security/vault/vault.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

let directory: string;
let keyFile: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "diplo-vault-"));
  keyFile = join(directory, "master.key");
  store = await memoryStore();
});
afterEach(async () => {
  store.close();
  await rm(directory, { recursive: true, force: true });
});

const memoryStore = () => openStore({ file: ":memory:", backups: "", log: createLog("error", () => {}) });
const context = { app: "blog", environment: "production", name: "DATABASE_URL", version: 3 };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("Vault.open makes a key file of mode 0600 and leaves no draft", async () => {
  await Vault.open({ keyFile, store });
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect(await Array.fromAsync(new Bun.Glob("*").scan({ cwd: directory, dot: true }))).toEqual([
    "master.key",
  ]);
});

test("Vault opens what it sealed, byte-exact, also after a restart", async () => {
  const values = ["", "pa$$word 'quoted' \"twice\"\nline\r\n\0 ü 🦑", "x".repeat(100_000)];
  const vault = await Vault.open({ keyFile, store });
  const sealed = values.map((value) => vault.seal(value, context));
  const again = await Vault.open({ keyFile, store });
  expect(sealed.map((bytes) => text(again.open(bytes, context)))).toEqual(values);
  const bytes = crypto.getRandomValues(new Uint8Array(4096));
  expect(again.open(vault.seal(bytes, context), context)).toEqual(bytes);
});

test("Vault.seal hides the value and never repeats itself", async () => {
  const vault = await Vault.open({ keyFile, store });
  const [one, two] = [vault.seal("the secret value", context), vault.seal("the secret value", context)];
  expect(Buffer.from(one).includes("secret")).toBe(false);
  expect(one).not.toEqual(two);
});

test("Vault.open refuses a value moved to another app, environment, name or version", async () => {
  const vault = await Vault.open({ keyFile, store });
  const sealed = vault.seal("value", context);
  const others = [
    { ...context, app: "shop" },
    { ...context, environment: "staging" },
    { ...context, name: "OTHER" },
    { ...context, version: 4 },
    // The same letters, cut elsewhere.
    { ...context, app: "blogprod", environment: "uction" },
  ];
  for (const other of others) expect(() => vault.open(sealed, other)).toThrow("does not open");
});

test("Vault.open refuses a value of which any byte was changed", async () => {
  const vault = await Vault.open({ keyFile, store });
  const sealed = vault.seal("value", context);
  for (const at of sealed.keys()) {
    const changed = sealed.slice();
    changed[at]! ^= 1;
    expect(() => vault.open(changed, context)).toThrow();
  }
  expect(() => vault.open(sealed.slice(0, 20), context)).toThrow("known format");
});

test("Vault.open refuses a key file that others may read", async () => {
  await Vault.open({ keyFile, store });
  await chmod(keyFile, 0o640);
  await expect(Vault.open({ keyFile, store })).rejects.toMatchObject({ code: "master_key_exposed" });
});

test("Vault.open refuses a missing key when the database was sealed with one", async () => {
  await Vault.open({ keyFile, store });
  await rm(keyFile);
  await expect(Vault.open({ keyFile, store })).rejects.toMatchObject({ code: "master_key_missing" });
  expect(await Bun.file(keyFile).exists()).toBe(false);
});

test("Vault.open refuses the key of another database", async () => {
  await Vault.open({ keyFile, store });
  const other = await memoryStore();
  const otherKey = join(directory, "other.key");
  await Vault.open({ keyFile: otherKey, store: other });
  await expect(Vault.open({ keyFile: otherKey, store })).rejects.toMatchObject({
    code: "master_key_differs",
  });
  other.close();
});

test("Vault.open refuses a damaged key file without showing its content", async () => {
  await writeFile(keyFile, "diplo-master-key-1:c0ffee", { mode: 0o600 });
  const error = await Vault.open({ keyFile, store }).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "master_key_damaged" });
  expect(JSON.stringify(error) + error.message).not.toContain("c0ffee");
});

test("Vault shows its key nowhere", async () => {
  const vault = await Vault.open({ keyFile, store });
  const key = (await readFile(keyFile, "utf8")).trim().split(":")[1]!;
  expect(Bun.inspect(vault) + JSON.stringify(vault)).not.toContain(key);
  expect(vault.keyId).not.toContain(key.slice(0, 16));
  expect(store.all("select id from keys")).toEqual([{ id: vault.keyId }]);
});

test("Vault seals and opens 100 KB in well under 50 ms", async () => {
  const vault = await Vault.open({ keyFile, store });
  const value = "x".repeat(100_000);
  vault.open(vault.seal(value, context), context);
  const start = performance.now();
  for (let i = 0; i < 10; i++) vault.open(vault.seal(value, context), context);
  expect((performance.now() - start) / 10).toBeLessThan(50);
});

test("Vault.ready loads what seal and open need, for a vault that was opened without", async () => {
  const vault = await Vault.open({ keyFile, store, preload: false });
  expect(() => vault.seal("value", context)).toThrow("before it was ready");
  await Promise.all([vault.ready(), vault.ready()]);
  expect(text(vault.open(vault.seal("value", context), context))).toBe("value");
});
