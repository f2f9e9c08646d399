import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changedFiles } from "../../../src/engine/source/changed-files.ts";
import { GitCache } from "../../../src/engine/source/git-cache.ts";
import { type GitServer, serveRepositories } from "../../support/git-server.ts";

let root: string;
let server: GitServer;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-changed-"));
  server = await serveRepositories();
});
afterAll(() => Promise.all([server.stop(), rm(root, { recursive: true, force: true })]));

function changed(name: string, since: string, cache = new GitCache(join(root, crypto.randomUUID()))) {
  const spec = { kind: "git", branch: null, tag: null, commit: null, subdirectory: "" } as const;
  const options = { credential: null, cache, signal: new AbortController().signal, deadlineMs: 20_000 };
  return changedFiles({ ...spec, repo_url: server.url(name) }, since, options);
}

test("changedFiles names what was added, changed and removed over any number of commits, odd names too", async () => {
  const first = await server.commit("app", { kept: "1", changed: "1", removed: "1" });
  await server.commit("app", { kept: "1", changed: "2", removed: "1" });
  const last = await server.commit("app", { kept: "1", changed: "2", "new\nline": "1" });
  expect(await changed("app", first)).toEqual({
    commit: last,
    files: ["changed", "new\nline", "removed"],
  });
  expect(await changed("app", last)).toEqual({ commit: last, files: [] });
});

test("changedFiles cannot say when the commit is gone from the repository", async () => {
  await server.commit("rewritten", { a: "1" });
  const { commit, files } = await changed("rewritten", "0123456789".repeat(4));
  expect(files).toBeNull();
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
});

test("changedFiles says what is wrong with the repository", async () => {
  await expect(changed("nowhere", "0123456789".repeat(4))).rejects.toMatchObject({ code: "repo_not_found" });
});
