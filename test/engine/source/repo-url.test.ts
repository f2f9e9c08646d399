import { expect, test } from "bun:test";
import { isRefName } from "../../../src/engine/source/git-names.ts";
import { type GitSpec, parseRepoUrl, sameSource } from "../../../src/engine/source/repo-url.ts";
import { listSubmodules } from "../../../src/engine/source/submodules.ts";

test.each([
  ["https://github.com/o/r", "https://github.com/o/r"],
  ["https://github.com/o/r.git/", "https://github.com/o/r.git"],
  [" https://GitHub.com/o/r \n", "https://github.com/o/r"],
  ["github.com/o/r", "https://github.com/o/r"],
  ["git@github.com:o/r.git", "ssh://git@github.com/o/r.git"],
  ["ssh://git@host:2222/o/r.git", "ssh://git@host:2222/o/r.git"],
  ["git://host/o/r", "git://host/o/r"],
  ["http://127.0.0.1:3000/r.git", "http://127.0.0.1:3000/r.git"],
  ["http://nas.local/r.git", "http://nas.local/r.git"],
  ["http://192.168.1.5/r", "http://192.168.1.5/r"],
  ["file:///srv/r.git", "/srv/r.git"],
  ["/srv/my repo".replace(" ", "_"), "/srv/my_repo"],
  ["https://host/o/r%20x.git", "https://host/o/r%20x.git"],
])("parseRepoUrl reads %s", (text, repo_url) => {
  expect(parseRepoUrl(text)).toEqual({
    spec: { kind: "git", repo_url, branch: null, tag: null, commit: null, subdirectory: "" },
    credential: null,
  });
});

test.each([
  ["https://github.com/o/r/tree/main", "https://github.com/o/r", "main", ""],
  ["https://github.com/o/r/tree/main/apps/web/", "https://github.com/o/r", "main", "apps/web"],
  ["https://gitlab.com/g/s/r/-/tree/dev/x", "https://gitlab.com/g/s/r", "dev", "x"],
  ["https://codeberg.org/o/r/src/branch/dev/x", "https://codeberg.org/o/r", "dev", "x"],
])("parseRepoUrl reads the page %s", (text, repo_url, branch, subdirectory) => {
  expect(parseRepoUrl(text).spec).toMatchObject({ repo_url, branch, subdirectory });
});

test("parseRepoUrl moves credentials out of the address", () => {
  expect(parseRepoUrl("https://canary@github.com/o/r")).toMatchObject({
    spec: { repo_url: "https://github.com/o/r" },
    credential: { kind: "token", token: "canary" },
  });
  expect(parseRepoUrl("https://ada:p%40ss@host/o/r").credential).toEqual({
    kind: "password",
    username: "ada",
    password: "p@ss",
  });
});

test.each([
  "",
  "-x",
  "--upload-pack=touch",
  "ext::sh -c id",
  "ext::id",
  "fd::17",
  "https://github.com",
  "https://github.com/",
  "ftp://host/x",
  "http://example.org/x",
  "https://host/%zz/r",
  "https://us%zzer:canary@host/o/r",
  "file:///srv/%zz",
  "https://-oProxyCommand=x/y",
  "ssh://-oProxyCommand=x/y",
  "ssh://-x@host/y",
  "-oProxyCommand=x:y",
  "https://host/-x",
  "https://host/a%0ab",
  "https://ho st/x",
  "https://host/x\ny",
  "https://host/\u001b[2J",
  "/srv/../etc",
])("parseRepoUrl refuses %j and does not repeat it", (text) => {
  try {
    parseRepoUrl(text);
    throw new Error("it was taken");
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid", fields: [{ field: "repo_url" }] });
    if (text.length > 3) expect(String((error as Error).message)).not.toContain(text);
  }
});

test("sameSource sees through spelling, not through paths or subdirectories", () => {
  const spec = (text: string, over: Partial<GitSpec> = {}) => ({ ...parseRepoUrl(text).spec, ...over });
  const a = spec("https://github.com/o/r");
  expect(sameSource(a, spec("https://x:y@GITHUB.com/o/r.git/"))).toBe(true);
  expect(sameSource(a, spec("https://github.com/o/r/", { branch: "dev" }))).toBe(true);
  expect(sameSource(a, spec("https://github.com/o/r2"))).toBe(false);
  expect(sameSource(a, spec("https://github.com/o/R"))).toBe(false);
  expect(sameSource(a, { ...a, subdirectory: "x" })).toBe(false);
  expect(sameSource(a, { kind: "upload", upload_id: "x", subdirectory: "" })).toBe(false);
});

test("isRefName follows git-check-ref-format", () => {
  for (const name of ["main", "feature/x", "v1.0", "ü", "a-b_c", "dependabot/npm/x-1.2"])
    expect(isRefName(name)).toBe(true);
  for (const name of [
    "",
    "@",
    "-x",
    "/x",
    "x/",
    "a..b",
    "a//b",
    ".x",
    "a/.b",
    "x.lock",
    "a b",
    "a~",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "a@{b",
    "x.",
    "a\u0000b",
  ]) {
    expect(isRefName(name)).toBe(false);
  }
});

test("listSubmodules answers nothing for a tree without .gitmodules", async () => {
  const options = { signal: new AbortController().signal };
  expect(await listSubmodules("/nonexistent", "0", "/nonexistent", "https://h/x", options)).toEqual([]);
});
