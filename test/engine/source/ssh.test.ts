import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDeployKey } from "../../../src/engine/source/deploy-key.ts";
import { deployKeyPage } from "../../../src/engine/source/deploy-key-page.ts";
import { fetchSource } from "../../../src/engine/source/fetch-source.ts";
import { GitCache } from "../../../src/engine/source/git-cache.ts";
import { forgetKnownHost, knownHostOf, readKnownHosts } from "../../../src/engine/source/known-hosts.ts";
import { lookAtSource } from "../../../src/engine/source/look-at-source.ts";
import { type GitSpec, parseRepoUrl } from "../../../src/engine/source/repo-url.ts";
import { type GitServer, serveRepositories } from "../../support/git-server.ts";
import { type SshGitServer, serveOverSsh } from "../../support/ssh-git-server.ts";

const key = makeDeployKey("diplo test");
let root: string;
let repositories: GitServer;
let ssh: SshGitServer;
let spec: GitSpec;
let cache: GitCache;
let commit: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo ssh "));
  repositories = await serveRepositories();
  commit = await repositories.commit("private", { "a.txt": "by ssh" });
  ssh = await serveOverSsh(key.public_key);
  spec = parseRepoUrl(ssh.url(repositories.path("private"))).spec;
  cache = new GitCache(join(root, "cache"));
});
afterAll(async () => {
  await Promise.all([ssh.stop(), repositories.stop()]);
  await rm(root, { recursive: true, force: true });
});

function fetch(private_key: string | null) {
  return fetchSource(spec, {
    directory: join(root, "tree"),
    cache,
    credential: private_key === null ? null : { kind: "deploy_key", private_key },
    uploads: root,
    signal: new AbortController().signal,
    deadlineMs: 20_000,
    onLine: () => undefined,
  });
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => error.code ?? error.message,
  );

test("makeDeployKey makes what ssh-keygen reads", async () => {
  const path = join(root, "key");
  await writeFile(path, key.private_key, { mode: 0o600 });
  expect(await Bun.$`ssh-keygen -y -f ${path}`.text()).toBe(`${key.public_key}\n`);
  expect(await Bun.$`ssh-keygen -l -f ${path}`.text()).toContain(key.fingerprint);
  await rm(path);
});

test("fetchSource and lookAtSource reach a private repository with a deploy key, which is in no file", async () => {
  const tree = await fetch(key.private_key);
  expect(tree.commit).toBe(commit);
  expect(await Bun.file(join(tree.directory, "a.txt")).text()).toBe("by ssh");
  const look = {
    credential: { kind: "deploy_key", private_key: key.private_key } as const,
    trust: cache,
  };
  const remote = await lookAtSource(spec, {
    ...look,
    signal: new AbortController().signal,
    deadlineMs: 20_000,
  });
  expect(remote).toMatchObject({ default_branch: "main", branches: ["main"] });
  const found = await Bun.$`grep -rlF ${key.private_key.split("\n")[2]!} ${root}`.quiet().nothrow();
  expect(found.stdout.toString()).toBe("");
  expect((await Bun.$`pgrep -f diplo-ssh-`.quiet().nothrow()).stdout.toString()).toBe("");
});

test("fetchSource without the right key is refused", async () => {
  expect(await codeOf(fetch(makeDeployKey("other").private_key))).toBe("auth_failed");
  expect(await codeOf(fetch(null))).toBe("auth_failed");
  expect(await codeOf(fetch("not a key"))).toContain("deploy key");
});

test("fetchSource stops when the pinned host key changed, says both, and goes on once it was forgotten", async () => {
  await fetch(key.private_key);
  const host = knownHostOf(spec.repo_url)!;
  const pinned = await readKnownHosts(cache.knownHosts);
  expect(pinned).toEqual([{ host, key_type: "ssh-ed25519", fingerprint: expect.any(String) }]);
  const found = await Bun.$`ssh-keygen -l -F ${host} -f ${cache.knownHosts}`.text();
  expect(found).toContain(pinned[0]!.fingerprint);

  await ssh.changeHostKey();
  const error = await fetch(key.private_key).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "host_key_changed", hint: expect.stringContaining(`'${host}'`) });
  expect(error.detail).toMatch(/SHA256:\S{43}\b/);
  expect(error.detail).not.toContain(pinned[0]!.fingerprint);

  expect(await forgetKnownHost(cache.knownHosts, "elsewhere")).toBe(false);
  expect(await forgetKnownHost(cache.knownHosts, host)).toBe(true);
  expect((await fetch(key.private_key)).commit).toBe(commit);
  const [next] = await readKnownHosts(cache.knownHosts);
  expect(error.detail).toContain(next!.fingerprint);
});

test("deployKeyPage knows the page of the usual forges, and of no other", () => {
  const pageOf = (address: string) => deployKeyPage(parseRepoUrl(address).spec.repo_url);
  expect(pageOf("git@github.com:you/app.git")).toBe("https://github.com/you/app/settings/keys/new");
  expect(pageOf("git@gitlab.com:you/app")).toBe("https://gitlab.com/you/app/-/settings/repository");
  for (const other of ["git@git.example.org:you/app", "git@github.com:app", "https://github.com/you/app"])
    expect(pageOf(other)).toBeNull();
});
