import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type FetchOptions, fetchSource } from "../../../src/engine/source/fetch-source.ts";
import { GitCache } from "../../../src/engine/source/git-cache.ts";
import type { GitSpec } from "../../../src/engine/source/repo-url.ts";
import { type GitServer, serveRepositories } from "../../support/git-server.ts";

let server: GitServer;
let guarded: GitServer;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-fetch-"));
  server = await serveRepositories();
  guarded = await serveRepositories({ credentials: { username: "ada", password: "canary-token" } });
});
afterAll(async () => {
  await Promise.all([server.stop(), guarded.stop(), rm(root, { recursive: true, force: true })]);
});

let attempt = 0;
function options(over: Partial<FetchOptions> = {}): FetchOptions {
  return {
    directory: join(root, `attempt-${attempt++}`),
    cache: new GitCache(join(root, "cache")),
    credential: null,
    uploads: join(root, "uploads"),
    signal: new AbortController().signal,
    deadlineMs: 20_000,
    onLine: () => undefined,
    ...over,
  };
}

function git(repo_url: string, over: Partial<GitSpec> = {}): GitSpec {
  return { kind: "git", repo_url, branch: null, tag: null, commit: null, subdirectory: "", ...over };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => ({ code: "none" }),
    (thrown) => thrown,
  );
  return error.code ?? error.message;
}

test("fetchSource brings the default branch and says commit, message, author and branch", async () => {
  const commit = await server.commit(
    "plain",
    { "index.html": "one", "a/b.txt": "deep" },
    "First words\n\nmore",
  );
  const tree = await fetchSource(git(server.url("plain")), options());
  expect(tree).toMatchObject({
    commit,
    message: "First words",
    author: "Ada",
    ref: "main",
    archive_sha256: null,
  });
  expect(await Bun.file(join(tree.directory, "a/b.txt")).text()).toBe("deep");
  expect((await readdir(tree.directory)).sort()).toEqual(["a", "index.html"]);
});

test("fetchSource sees a new commit through the same cache, and drops what the first try left", async () => {
  await server.commit("moving", { "a.txt": "one", "gone.txt": "x" });
  const first = options();
  await fetchSource(git(server.url("moving")), first);
  const commit = await server.commit("moving", { "a.txt": "two" });
  await writeFile(join(first.directory, "leftover"), "half-made");
  const tree = await fetchSource(git(server.url("moving")), first);
  expect(tree.commit).toBe(commit);
  expect(await readdir(tree.directory)).toEqual(["a.txt"]);
  expect(await Bun.file(join(tree.directory, "a.txt")).text()).toBe("two");
});

test("fetchSource follows a default branch that gets another name", async () => {
  const cache = new GitCache(join(root, "renamed-cache"));
  const fetchIt = async () => {
    const tree = await fetchSource(git(server.url("renamed")), options({ cache }));
    return [tree.ref, await Bun.file(join(tree.directory, "v")).text()];
  };
  await server.commit("renamed", { v: "1" });
  expect(await fetchIt()).toEqual(["main", "1"]);
  await server.commit("renamed", { v: "2" });
  expect(await fetchIt()).toEqual(["main", "2"]);
  await server.commit("renamed", { v: "3" }, "Trunk", "trunk");
  await Bun.$`git -C ${server.path("renamed")} symbolic-ref HEAD refs/heads/trunk`.quiet();
  expect(await fetchIt()).toEqual(["trunk", "3"]);
  await Bun.$`git -C ${server.path("renamed")} branch -m trunk other`.quiet();
  expect(await fetchIt()).toEqual(["other", "3"]);
});

test("fetchSource takes a branch, a tag, a tag given as branch, a commit and an abbreviated commit", async () => {
  const old = await server.commit("refs", { v: "1" });
  await server.tag("refs", "v1.0", old);
  await server.commit("refs", { v: "2" });
  await server.commit("refs", { v: "side" }, "Side", "feature/x");
  const url = server.url("refs");
  const read = async (spec: GitSpec) => {
    const tree = await fetchSource(spec, options());
    return [await Bun.file(join(tree.directory, "v")).text(), tree.ref];
  };
  expect(await read(git(url, { branch: "feature/x" }))).toEqual(["side", "feature/x"]);
  expect(await read(git(url, { tag: "v1.0" }))).toEqual(["1", "v1.0"]);
  expect(await read(git(url, { branch: "v1.0" }))).toEqual(["1", "v1.0"]);
  expect(await read(git(url, { commit: old }))).toEqual(["1", null]);
  expect(await read(git(url, { commit: old.slice(0, 10), branch: "main" }))).toEqual(["1", "main"]);
});

test("fetchSource speaks git's own protocol", async () => {
  const commit = await server.commit("plainly", { a: "by git://" });
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  const base = dirname(server.path("plainly"));
  const daemon = spawn(
    "git",
    ["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", `--port=${port}`, `--base-path=${base}`],
    { stdio: "ignore", detached: true },
  );
  try {
    const url = `git://127.0.0.1:${port}/plainly.git`;
    const deadline = Date.now() + 10_000;
    const reach = () => fetchSource(git(url), options()).catch((error) => error);
    let tree = await reach();
    while (tree.code === "repo_unreachable" && Date.now() < deadline) tree = await reach();
    expect(tree.commit).toBe(commit);
    expect(await codeOf(fetchSource(git(`git://127.0.0.1:${port}/none.git`), options()))).toBe(
      "repo_not_found",
    );
  } finally {
    process.kill(-daemon.pid!, "SIGTERM");
  }
});

test("fetchSource reads a local path and a subdirectory", async () => {
  await server.commit("mono", { "apps/web/index.html": "web", "README.md": "x" });
  const tree = await fetchSource(git(server.path("mono"), { subdirectory: "/apps/web/" }), options());
  expect(await readdir(tree.directory)).toEqual(["index.html"]);
});

test("fetchSource refuses a subdirectory that is missing, leads out, or is a link out", async () => {
  const work = join(root, "linked");
  await mkdir(work);
  await Bun.$`ln -s /etc ${join(work, "out")}`.quiet();
  await writeFile(join(work, "a"), "a");
  await server.commit("linked", work);
  for (const [subdirectory, code] of [
    ["missing", "subdirectory_not_found"],
    ["out", "subdirectory_not_found"],
    ["a", "subdirectory_not_found"],
    ["../x", "invalid"],
    [".git", "invalid"],
  ]) {
    expect(await codeOf(fetchSource(git(server.url("linked"), { subdirectory }), options()))).toBe(code!);
  }
});

test("fetchSource names each mistake by its code", async () => {
  await server.empty("empty");
  await server.commit("real", { a: "a" });
  const real = server.url("real");
  expect(await codeOf(fetchSource(git(server.url("nowhere")), options()))).toBe("repo_not_found");
  expect(await codeOf(fetchSource(git(join(root, "no-such-path")), options()))).toBe("repo_not_found");
  expect(await codeOf(fetchSource(git(server.url("empty")), options()))).toBe("repo_empty");
  expect(await codeOf(fetchSource(git(server.url("empty"), { branch: "main" }), options()))).toBe(
    "repo_empty",
  );
  expect(await codeOf(fetchSource(git(real, { branch: "nope" }), options()))).toBe("branch_not_found");
  expect(await codeOf(fetchSource(git(real, { tag: "nope" }), options()))).toBe("branch_not_found");
  expect(await codeOf(fetchSource(git(real, { commit: "0".repeat(40) }), options()))).toBe(
    "branch_not_found",
  );
  expect(await codeOf(fetchSource(git(real, { commit: "abcdef1" }), options()))).toBe("branch_not_found");
  expect(await codeOf(fetchSource(git("http://127.0.0.1:1/x.git"), options()))).toBe("repo_unreachable");
});

test("fetchSource refuses refs and addresses that git would read as options or programs", async () => {
  const real = server.url("real");
  for (const branch of [
    "-x",
    "--upload-pack=touch /tmp/x",
    "a..b",
    "a b",
    "a\nb",
    "x.lock",
    "@{1}",
    "a:b",
    "",
  ]) {
    expect(await codeOf(fetchSource(git(real, { branch }), options()))).toBe("invalid");
  }
  for (const url of [
    "ext::sh -c x",
    "ext::x",
    "--upload-pack=x",
    "-x",
    "fd::3",
    "http://evil.example/x",
    "https://-x/y",
  ]) {
    expect(await codeOf(fetchSource(git(url), options()))).toBe("invalid");
  }
});

test("fetchSource uses credentials, and neither error nor cache holds them", async () => {
  const commit = await guarded.commit("private", { secret: "code" });
  const url = guarded.url("private");
  const credential = { kind: "password", username: "ada", password: "canary-token" } as const;
  expect((await fetchSource(git(url), options({ credential }))).commit).toBe(commit);
  expect(await codeOf(fetchSource(git(url), options()))).toBe("auth_failed");
  const wrong = { kind: "token", token: "canary-wrong" } as const;
  const error = await fetchSource(git(url), options({ credential: wrong })).catch((thrown) => thrown);
  expect(error.code).toBe("auth_failed");
  expect(Bun.inspect(error)).not.toContain("canary");
  const found = await Bun.$`grep -rl canary ${join(root, "cache")}`.quiet().nothrow();
  expect(found.stdout.toString()).toBe("");
});

test("fetchSource shows its credential in no process's arguments or environment", async () => {
  const url = guarded.url("private");
  const credential = { kind: "password", username: "ada", password: "canary-token" } as const;
  const seen: string[] = [];
  let running = true;
  const sample = async () => {
    while (running) {
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        for (const file of ["cmdline", "environ"])
          seen.push(await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""));
      }
      await Bun.sleep(1);
    }
  };
  const sampling = sample();
  const fresh = new GitCache(join(root, "canary-cache"));
  for (let again = 0; again < 3; again++) await fetchSource(git(url), options({ credential, cache: fresh }));
  running = false;
  await sampling;
  expect(seen.some((line) => line.includes("git") && line.includes("/private.git"))).toBe(true);
  expect(seen.some((line) => line.includes("GIT_CONFIG_COUNT"))).toBe(true);
  expect(seen.filter((line) => line.includes("canary-token"))).toEqual([]);
});

test("fetchSource heals a cache that a crash damaged", async () => {
  const name = "damaged";
  await server.commit(name, { a: "1" });
  const cache = new GitCache(join(root, "damaged-cache"));
  await fetchSource(git(server.url(name)), options({ cache }));
  const [directory] = await readdir(cache.directory);
  const objects = join(cache.directory, directory!, "objects");
  await writeFile(join(cache.directory, directory!, "shallow.lock"), "");
  for (const file of await Array.fromAsync(new Bun.Glob("??/*").scan(objects))) {
    await rm(join(objects, file));
    await writeFile(join(objects, file), "");
  }
  const commit = await server.commit(name, { a: "2" });
  expect((await fetchSource(git(server.url(name)), options({ cache }))).commit).toBe(commit);
});

test("fetchSource from one cache many times at once gives each its own tree", async () => {
  await server.commit("busy", { a: "1" });
  const cache = new GitCache(join(root, "busy-cache"));
  const trees = await Promise.all(
    Array.from({ length: 6 }, () => fetchSource(git(server.url("busy")), options({ cache }))),
  );
  expect(new Set(trees.map(({ directory }) => directory)).size).toBe(6);
  for (const { directory } of trees) expect(await readdir(directory)).toEqual(["a"]);
});

test("fetchSource ends with its signal and its deadline, and leaves no process", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  try {
    const url = `http://127.0.0.1:${silent.port}/slow-canary.git`;
    const error = await fetchSource(git(url), options({ deadlineMs: 300 })).catch((thrown) => thrown);
    expect(error.name).toBe("TimeoutError");
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error("cancelled")), 200);
    expect(await codeOf(fetchSource(git(url), options({ signal: abort.signal })))).toBe("cancelled");
    const left = await Bun.$`pgrep -f slow-canary.git`.quiet().nothrow();
    expect(left.stdout.toString()).toBe("");
  } finally {
    silent.stop(true);
  }
});

/** A tree with one submodule: a link to a commit, and the address in .gitmodules. */
async function withSubmodule(name: string, url: string, commit: string, path = "lib"): Promise<void> {
  const work = join(root, `work-${name}`);
  await mkdir(work, { recursive: true });
  await writeFile(join(work, ".gitmodules"), `[submodule "lib"]\n\tpath = ${path}\n\turl = ${url}\n`);
  await server.commit(name, work);
  const bare = server.path(name);
  const env = { ...process.env, GIT_DIR: bare, GIT_INDEX_FILE: join(root, `index-${name}`) };
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
  await Bun.$`git read-tree refs/heads/main`.env(env).quiet();
  await Bun.$`git update-index --add --cacheinfo 160000,${commit},lib`.env(env).quiet();
  const tree = (await Bun.$`git write-tree`.env(env).text()).trim();
  const id = (await Bun.$`git ${identity} commit-tree ${tree} -m submodule`.env(env).text()).trim();
  await Bun.$`git update-ref refs/heads/main ${id}`.env(env).quiet();
}

test("fetchSource brings submodules at their commits, by absolute and relative address, nested", async () => {
  const old = await server.commit("leaf", { "leaf.txt": "old" });
  await server.commit("leaf", { "leaf.txt": "new" });
  await withSubmodule("branch", "../leaf.git", old);
  const inner = (await Bun.$`git -C ${server.path("branch")} rev-parse main`.text()).trim();
  await withSubmodule("trunk", server.url("branch"), inner);
  const tree = await fetchSource(git(server.url("trunk")), options());
  expect(await Bun.file(join(tree.directory, "lib/lib/leaf.txt")).text()).toBe("old");
});

test("fetchSource refuses submodules that reach into this machine, run programs or lead out", async () => {
  const commit = await server.commit("leaf2", { a: "a" });
  const addresses = [
    server.path("leaf2"),
    `file://${server.path("leaf2")}`,
    "ext::sh -c touch% /tmp/x",
    "-x",
    "--upload-pack=x",
    "",
  ];
  for (const [index, url] of addresses.entries()) {
    await withSubmodule(`evil${index}`, url, commit);
    expect(await codeOf(fetchSource(git(server.url(`evil${index}`)), options()))).toBe("submodule_refused");
  }
});
