import { expect, test } from "bun:test";
import { join } from "node:path";
import type { SourceSpec } from "../../../src/engine/source/source.ts";
import { openCredential, saveCredential } from "../../../src/product/deployments/credentials.ts";
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

test("openCredential gives the secret to the host it was given for, and to no other", async () => {
  const { store, settings, environments } = await product();
  const vault = await Vault.open({ keyFile: join(settings.data, "master.key"), store });
  const parts = { store, vault };
  const environment = await environments.create("blog", "me");
  const credential = { kind: "token", token: "canary" } as const;
  saveCredential(parts, environment, credential, git("https://github.com/o/r"));

  expect(openCredential(parts, environment, git("https://github.com/o/other"))).toEqual(credential);
  for (const elsewhere of [
    "https://evil.example/o/r",
    "https://github.com:8443/o/r",
    "http://github.com/o/r",
    "ssh://git@github.com/o/r",
    "/srv/r",
  ])
    expect(openCredential(parts, environment, git(elsewhere))).toBeNull();
  expect(openCredential(parts, environment, { kind: "upload", upload_id: "u", subdirectory: "" })).toBeNull();
  expect(JSON.stringify(store.all("select * from credentials"))).not.toContain("canary");
});
