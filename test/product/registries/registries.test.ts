import { expect, test } from "bun:test";
import { join } from "node:path";
import { Registries } from "../../../src/product/registries/registries.ts";
import { Vault } from "../../../src/security/vault/vault.ts";
import { product } from "../../support/product.ts";

async function made() {
  const { store, runtimes, settings } = await product();
  const vault = await Vault.open({ keyFile: join(settings.data, "master.key"), store });
  return { store, registries: new Registries({ store, vault, runtimes }) };
}

const invalid = (field: string) =>
  expect.objectContaining({ code: "invalid", fields: [expect.objectContaining({ field })] });

test("Registries.add keeps one credential a server, sealed, and opens it for that server's images only", async () => {
  const { store, registries } = await made();
  await registries.add({ server: "https://GHCR.io/", username: "you", password: "first" }, "owner");
  await registries.add({ server: "ghcr.io", username: "you", password: "pass word:é" }, "owner");
  await registries.add({ server: "registry.hub.docker.com", username: "hub", password: "hub" }, "owner");
  expect(registries.list().map(({ server, username }) => ({ server, username }))).toEqual([
    { server: "docker.io", username: "hub" },
    { server: "ghcr.io", username: "you" },
  ]);
  expect(JSON.stringify(registries.list())).not.toContain("pass word");
  const open = { server: "ghcr.io", username: "you", password: "pass word:é" };
  expect(await registries.ofImage("ghcr.io/you/app:1")).toEqual(open);
  expect((await registries.ofImage("nginx"))?.username).toBe("hub");
  expect(await registries.ofImage("ghcr.io.evil.example/you/app")).toBeNull();
  expect(await registries.ofImage("ghcr.io:444/you/app")).toBeNull();
  expect((await registries.all()).length).toBe(2);
  expect(store.db.serialize().toString("latin1")).not.toContain("pass word");
});

test("Registries: a sealed password moved to another server or user does not open", async () => {
  const { store, registries } = await made();
  await registries.add({ server: "ghcr.io", username: "you", password: "secret" }, "owner");
  store.run("update registries set server = 'evil.example'", {});
  await expect(registries.ofImage("evil.example/you/app")).rejects.toMatchObject({ code: "sealed_damaged" });
});

test("Registries.add refuses what no registry would take", async () => {
  const { registries } = await made();
  const add = (more: object) =>
    registries.add({ server: "ghcr.io", username: "you", password: "secret", ...more }, "owner");
  await expect(add({ server: "ghcr.io/you" })).rejects.toEqual(invalid("server"));
  await expect(add({ username: " " })).rejects.toEqual(invalid("username"));
  await expect(add({ username: "a:b" })).rejects.toEqual(invalid("username"));
  await expect(add({ password: "secret\n" })).rejects.toEqual(invalid("password"));
  expect(registries.list()).toEqual([]);
});

test("Registries.remove and test know a registry by server or id, and say which are unknown", async () => {
  const { registries } = await made();
  const { id } = await registries.add({ server: "ghcr.io", username: "you", password: "secret" }, "owner");
  await expect(registries.test("quay.io", AbortSignal.timeout(1000))).rejects.toMatchObject({
    code: "registry_not_found",
  });
  await expect(registries.test(id, AbortSignal.timeout(1000))).rejects.toMatchObject({ code: "engine_down" });
  registries.remove("https://ghcr.io");
  expect(registries.list()).toEqual([]);
  expect(() => registries.remove(id)).toThrow(expect.objectContaining({ code: "registry_not_found" }));
});
