import { expect, test } from "bun:test";
import { join } from "node:path";
import type { SourceSpec } from "../../../src/engine/source/source.ts";
import { Credentials } from "../../../src/product/sources/credentials.ts";
import { Vault } from "../../../src/security/vault/vault.ts";
import { product } from "../../support/product.ts";

const git = (repo_url: string): SourceSpec => ({
  kind: "git",
  repo_url,
  branch: null,
  tag: null,
  commit: null,
  subdirectory: "",
});

async function fixture() {
  const { store, settings, environments } = await product();
  const vault = await Vault.open({ keyFile: join(settings.data, "master.key"), store });
  const { app_id } = await environments.create("blog", "me");
  return { store, app_id, credentials: new Credentials({ store, vault }) };
}

test("Credentials.open gives the secret to the host it was given for, and to no other", async () => {
  const { store, app_id, credentials } = await fixture();
  const credential = { kind: "token", token: "canary" } as const;
  credentials.save(app_id, credential, git("https://github.com/o/r"));

  expect(credentials.open(app_id, git("https://github.com/o/other"))).toEqual(credential);
  for (const elsewhere of [
    "https://evil.example/o/r",
    "https://github.com:8443/o/r",
    "http://github.com/o/r",
    "ssh://git@github.com/o/r",
    "/srv/r",
  ])
    expect(credentials.open(app_id, git(elsewhere))).toBeNull();
  expect(credentials.open(app_id, { kind: "upload", upload_id: "u", subdirectory: "" })).toBeNull();
  expect(JSON.stringify(store.all("select * from credentials"))).not.toContain("canary");
});

test("Credentials.save keeps one secret for each host, and list shows none of them", async () => {
  const { app_id, credentials } = await fixture();
  credentials.save(app_id, { kind: "token", token: "one" }, git("https://a.example/r"));
  credentials.save(app_id, { kind: "token", token: "two" }, git("https://a.example/r"));
  const ada = { kind: "password", username: "ada", password: "three" } as const;
  credentials.save(app_id, ada, git("https://b.example/r"));

  expect(credentials.open(app_id, git("https://a.example/x"))).toEqual({ kind: "token", token: "two" });
  expect(credentials.open(app_id, git("https://b.example/x"))).toEqual(ada);
  expect(credentials.list(app_id)).toEqual([
    { kind: "password", origin: "https://b.example", username: "ada", created_at: expect.any(String) },
    { kind: "token", origin: "https://a.example", username: null, created_at: expect.any(String) },
  ]);
  expect(credentials.remove(app_id, "https://a.example")).toBe(true);
  expect(credentials.remove(app_id, "https://a.example")).toBe(false);
  expect(credentials.open(app_id, git("https://a.example/x"))).toBeNull();
});

test("Credentials.ensureDeployKey makes one key an app, sealed, for ssh alone", async () => {
  const { store, app_id, credentials } = await fixture();
  expect(credentials.deployKey(app_id)).toBeNull();
  const key = credentials.ensureDeployKey(app_id, "diplo-blog");
  expect(key.public_key).toMatch(/^ssh-ed25519 AAAA\S+ diplo-blog$/);
  expect(credentials.ensureDeployKey(app_id, "diplo-blog")).toEqual(key);

  const opened = credentials.open(app_id, git("ssh://git@any.example/o/r"));
  if (opened?.kind !== "deploy_key") throw new Error("no deploy key");
  const secret = opened.private_key.split("\n")[2] as string;
  expect(Bun.inspect(store.all("select * from credentials"))).not.toContain(secret);
  expect(credentials.open(app_id, git("https://any.example/o/r"))).toBeNull();
  expect(credentials.list(app_id)).toEqual([]);

  const next = credentials.replaceDeployKey(app_id, "diplo-blog");
  expect(next.fingerprint).not.toBe(key.fingerprint);
  expect(store.all("select * from credentials")).toHaveLength(1);
  expect(credentials.removeDeployKey(app_id)).toBe(true);
  expect(credentials.open(app_id, git("ssh://git@any.example/o/r"))).toBeNull();
});
