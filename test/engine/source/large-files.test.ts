import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchSource } from "../../../src/engine/source/fetch-source.ts";
import { GitCache } from "../../../src/engine/source/git-cache.ts";
import { type GitServer, serveRepositories } from "../../support/git-server.ts";

const CONTENT = "a large file".repeat(1000);
const OID = createHash("sha256").update(CONTENT).digest("hex");
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize ${CONTENT.length}\n`;

let root: string;
let server: GitServer;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-lfs-"));
  server = await serveRepositories({
    largeFiles: { [OID]: CONTENT },
    credentials: { username: "ada", password: "pw" },
  });
});
afterAll(() => Promise.all([server.stop(), rm(root, { recursive: true, force: true })]));

test("fetchSource brings large files when git-lfs is there, and says so when it is not", async () => {
  await server.commit("big", {
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "a.bin": POINTER,
    b: "b",
  });
  const lines: string[] = [];
  const tree = await fetchSource(
    { kind: "git", repo_url: server.url("big"), branch: null, tag: null, commit: null, subdirectory: "" },
    {
      directory: join(root, "tree"),
      cache: new GitCache(join(root, "cache")),
      credential: { kind: "password", username: "ada", password: "pw" },
      uploads: root,
      signal: new AbortController().signal,
      deadlineMs: 20_000,
      onLine: (line) => lines.push(line),
    },
  );
  const text = await Bun.file(join(tree.directory, "a.bin")).text();
  if (Bun.which("git-lfs") === null) {
    expect(text).toBe(POINTER);
    expect(lines.join("\n")).toContain("Git LFS");
  } else {
    expect(text).toBe(CONTENT);
    expect(lines.join("\n")).not.toContain("Git LFS");
  }
});
