import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../../src/config.ts";
import { Credentials } from "../../src/product/sources/credentials.ts";
import { Vault } from "../../src/security/vault/vault.ts";
import { Store } from "../../src/store/store.ts";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { ProcessSampler } from "../support/process-sampler.ts";
import { type SshGitServer, serveOverSsh } from "../support/ssh-git-server.ts";
import { Box } from "../support/start-box.ts";

const TOKEN = "canary-token-5b1c77e0";
const PASSWORD = "canary-password-91d2a4";
const SITE = {
  Dockerfile: `FROM busybox:1.36\nCOPY . /www\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
  "index.html": "from a private repository",
};

let box: Box;
let byToken: GitServer;
let byPassword: GitServer;
let plain: GitServer;
let ssh: SshGitServer | undefined;
let certificates: string;

beforeAll(async () => {
  certificates = await Bun.$`mktemp -d`.text().then((text) => text.trim());
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(certificates, name)) as [string, string];
  await Bun.$`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=git -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.quiet();
  const tls = { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  byToken = await serveRepositories({ tls, credentials: { username: "oauth2", password: TOKEN } });
  byPassword = await serveRepositories({ tls, credentials: { username: "ada", password: PASSWORD } });
  plain = await serveRepositories();
  box = await Box.start({ env: { SSL_CERT_FILE: cert } });
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await Promise.all([byToken, byPassword, plain, ssh].map((server) => server?.stop()));
  await rm(certificates, { recursive: true, force: true });
}, 60_000);

/** Every file below the data directory, byte for byte, while others may come and go. */
async function filesWith(needles: Buffer[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(box.data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (needles.some((needle) => bytes.includes(needle))) found.push(path);
  }
  return found;
}

/** Looks for secrets while `work` is done, and afterwards in all that it left. */
async function nowhere(app: string, secrets: () => Promise<(string | Buffer)[]>, work: () => Promise<void>) {
  const sampler = new ProcessSampler();
  await work();
  const seen = await sampler.stop();
  const needles = (await secrets()).map((secret) => Buffer.from(secret as string));
  expect(needles.length).toBeGreaterThan(0);
  const inText = (text: string) => needles.some((needle) => Buffer.from(text).includes(needle));

  expect(seen.some((line) => line.includes("GIT_CONFIG_COUNT"))).toBe(true);
  expect(seen.filter(inText)).toEqual([]);
  expect(await filesWith(needles)).toEqual([]);
  // The search finds what is there: in the database, or in its write-ahead log.
  const known = await filesWith([Buffer.from(app)]);
  expect(known.some((path) => path.startsWith(paths.database(box.data)))).toBe(true);
  for (const path of ["", "/deployments", "/credentials", "/env", "/releases", "/logs"])
    expect(inText(JSON.stringify((await box.api("GET", `/apps/${app}${path}`)).body))).toBe(false);

  const { id } = (await box.api<{ id: string }>("GET", `/apps/${app}`)).body;
  const images = await Bun.$`docker images --format {{.ID}} --filter label=diplo.app=${app}`.text();
  const ids = [...new Set(images.trim().split("\n"))].filter(Boolean);
  expect(ids.length).toBeGreaterThan(0);
  for (const image of ids) {
    const saved = Buffer.from(await Bun.$`docker save ${image}`.arrayBuffer());
    expect(saved.includes("from a private repository")).toBe(true);
    expect(needles.some((needle) => saved.includes(needle))).toBe(false);
    expect(inText(await Bun.$`docker history --no-trunc ${image}`.text())).toBe(false);
  }
  const containers = await Bun.$`docker ps -aq --filter label=diplo.app=${app}`.text();
  for (const container of containers.trim().split("\n").filter(Boolean))
    expect(inText(await Bun.$`docker inspect ${container}`.text())).toBe(false);
  return id;
}

test("a private repository over https deploys by a token, which is nowhere to be found", async () => {
  await byToken.commit("blog", SITE);
  await nowhere(
    "blog",
    async () => [TOKEN, Buffer.from(`oauth2:${TOKEN}`).toString("base64")],
    async () => {
      const repo_url = byToken.url("blog");
      const refused = await box.api("POST", "/deploy", {
        repo_url,
        name: "blog",
        github_token: "canary-wrong",
      });
      expect(refused).toMatchObject({ status: 422, body: { code: "auth_failed" } });
      expect(JSON.stringify(refused.body)).not.toContain("canary-wrong");
      const { port } = await box.deploy({ repo_url, name: "blog", github_token: TOKEN });
      expect(await (await box.app(port)).text()).toBe("from a private repository");

      // Kept sealed: later deployments bring no token along.
      await byToken.commit("blog", { ...SITE, "two.html": "2" });
      expect((await box.api("POST", "/apps/blog/deployments", {})).status).toBe(201);
      expect(await (await box.app(port, "/two.html")).text()).toBe("2");
    },
  );
}, 120_000);

test("a private repository over https deploys by user name and password, given before the first deployment", async () => {
  await byPassword.commit("shop", SITE);
  await nowhere(
    "shop",
    async () => [PASSWORD, Buffer.from(`ada:${PASSWORD}`).toString("base64")],
    async () => {
      const repo_url = byPassword.url("shop");
      expect((await box.api("POST", "/apps", { name: "shop" })).status).toBe(201);
      const credential = { repo_url, username: "ada", password: PASSWORD };
      expect((await box.api("PUT", "/apps/shop/credentials", credential)).body).toMatchObject([
        { kind: "password", username: "ada", origin: new URL(repo_url).origin },
      ]);
      const looked = await box.api("POST", "/sources/look", { repo_url, app: "shop" });
      expect(looked.body).toMatchObject({ provider: "dockerfile", branches: ["main"] });
      await box.deploy({ repo_url, name: "shop" });
    },
  );
}, 120_000);

test("a private repository over ssh deploys by the app's own key, whose private half is nowhere to be found", async () => {
  await plain.commit("forum", SITE);
  const source = { kind: "git", branch: null, tag: null, commit: null, subdirectory: "" } as const;
  let appId = "";
  /** The half that only the vault can open: its lines, and the seed in them. */
  const secrets = async () => {
    const database = new Database(paths.database(box.data), { readonly: true, strict: true });
    const store = new Store(database);
    const vault = await Vault.open({ keyFile: paths.masterKey(box.data), store });
    const opened = new Credentials({ store, vault }).open(appId, { ...source, repo_url: "ssh://git@h/x" });
    database.close();
    if (opened?.kind !== "deploy_key") throw new Error("the app has no key");
    const lines = opened.private_key.split("\n").slice(1, -2);
    const body = Buffer.from(lines.join(""), "base64");
    // openssh-key-v1: the seed's 32 bytes follow their length, 64, in the private part.
    const at = body.indexOf(Buffer.from([0, 0, 0, 64]));
    expect(at).toBeGreaterThan(0);
    // The first lines hold the public half, which is no secret.
    return [...lines.slice(3, -1), body.subarray(at + 4, at + 36)];
  };
  await nowhere("forum", secrets, async () => {
    // A server that lets nobody in yet: the first failure says which key to add.
    ssh = await serveOverSsh("ssh-ed25519 AAAA nobody");
    const repo_url = ssh.url(plain.path("forum"));
    const refused = await box.api<{ hint: string }>("POST", "/deploy", { repo_url, name: "forum" });
    expect(refused).toMatchObject({ status: 422, body: { code: "auth_failed" } });
    const key = (await box.api<{ public_key: string }>("GET", "/apps/forum/deploy-key")).body;
    expect(refused.body.hint).toContain(key.public_key);

    ssh.allow(key.public_key);
    const looked = await box.api<{ findings: { label: string; value: string }[] }>("POST", "/sources/look", {
      repo_url,
      app: "forum",
    });
    const pinned = looked.body.findings.find(({ label }) => label === "Host key")?.value;
    expect(pinned).toMatch(/^SHA256:/);
    const { port } = await box.deploy({ repo_url, name: "forum" });
    expect(await (await box.app(port)).text()).toBe("from a private repository");
    appId = (await box.api<{ id: string }>("GET", "/apps/forum")).body.id;
  });
}, 120_000);

test("a changed host key is refused until it is accepted, and the old release serves on", async () => {
  const { port } = (await box.api<{ port: number }>("GET", "/apps/forum")).body;
  await ssh!.changeHostKey();
  const refused = await box.api<{ hint: string }>("POST", "/apps/forum/deployments", {});
  expect(refused).toMatchObject({ status: 422, body: { code: "host_key_changed" } });
  const [host] = (await box.api<{ host: string }[]>("GET", "/ssh-hosts")).body;
  expect(refused.body.hint).toContain(`diplo ssh-hosts:forget '${host!.host}'`);
  expect((await box.app(port)).status).toBe(200);
  const forgotten = await box.api("DELETE", `/ssh-hosts/${encodeURIComponent(host!.host)}`);
  expect(forgotten.body).toEqual({ forgotten: true });
  expect((await box.api("POST", "/apps/forum/deployments", {})).status).toBe(201);
  const after = (await box.api<object[]>("GET", "/ssh-hosts")).body;
  expect(after).toHaveLength(1);
  expect(after).not.toEqual([host as never]);
}, 60_000);

test("if_changed deploys what counts and says why when nothing does", async () => {
  await plain.commit("mono", { "web/Dockerfile": SITE.Dockerfile, "web/index.html": "1", "docs/a.md": "a" });
  await box.deploy({ repo_url: plain.url("mono"), name: "mono", subdirectory: "web" });
  const again = () => box.api<{ changed?: boolean }>("POST", "/apps/mono/deployments", { if_changed: true });
  expect(await again()).toMatchObject({ status: 200, body: { changed: false, release: 1 } });

  await plain.commit("mono", { "web/Dockerfile": SITE.Dockerfile, "web/index.html": "1", "docs/a.md": "b" });
  expect(await again()).toMatchObject({
    status: 200,
    body: { changed: false, reason: expect.stringContaining("none") },
  });
  const before = (await box.api<object[]>("GET", "/apps/mono/deployments")).body;
  expect(before).toHaveLength(1);

  await box.api("PATCH", "/apps/mono", { watch_paths: ["web/", "docs/*.md"] });
  expect((await again()).status).toBe(201);
  await plain.commit("mono", { "web/Dockerfile": SITE.Dockerfile, "web/index.html": "2", "docs/a.md": "b" });
  expect((await again()).status).toBe(201);
}, 60_000);

test("a source that never worked does not become the app's", async () => {
  const bad = { repo_url: plain.url("nowhere"), name: "mono", replace_source: true };
  expect((await box.api("POST", "/deploy", bad)).status).toBe(422);
  const source = async () => (await box.api<{ source: object }>("GET", "/apps/mono")).body.source;
  expect(await source()).toMatchObject({ repo_url: plain.url("mono") });
  expect((await box.api("POST", "/apps/mono/deployments", { branch: "nope" })).status).toBe(422);
  expect(await source()).toMatchObject({ branch: null });
  expect((await box.api("POST", "/apps/mono/deployments", {})).status).toBe(201);

  // With nothing else to go by, the last word counts.
  await box.api("POST", "/deploy", { ...bad, name: "fresh" });
  await plain.commit("good", SITE);
  await box.deploy({ repo_url: plain.url("good"), name: "fresh", replace_source: true });
}, 60_000);
