import { expect, test } from "bun:test";
import { filesThatCount, matchesPath, type PathFilter } from "../../../src/engine/source/path-filter.ts";

test.each<[pattern: string, yes: string[], no: string[]]>([
  ["*.md", ["a.md", ".md"], ["docs/a.md", "a.mdx", "amd"]],
  ["**/*.md", ["a.md", "docs/a.md", "docs/deep/a.md"], ["a.mdx"]],
  ["src/**", ["src", "src/a", "src/a/b"], ["srcs/a", "a/src/b"]],
  ["src/*", ["src/a"], ["src", "src/a/b"]],
  ["docs", ["docs", "docs/a/b"], ["docs2/a", "a/docs"]],
  ["docs/", ["docs/a/b"], ["docs2/a"]],
  ["./docs/a.md", ["docs/a.md"], ["docs/b.md"]],
  ["a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/b", "z"]],
  ["packages/*/src/**", ["packages/ui/src/a"], ["packages/src/a", "packages/ui/a"]],
  ["a*b*c", ["abc", "axxbxxc", "abbcc"], ["acb", "ab", "abcd"]],
  ["a*a", ["aa", "axa"], ["a"]],
  ["file.(js)[x]+$", ["file.(js)[x]+$"], ["file.js"]],
  ["**", ["a", "a/b"], []],
  ["-x\nname", ["-x\nname"], ["-x"]],
])("matchesPath %p", (pattern, yes, no) => {
  expect(yes.filter((path) => !matchesPath(pattern, path))).toEqual([]);
  expect(no.filter((path) => matchesPath(pattern, path))).toEqual([]);
});

test("matchesPath takes no time for a hostile pattern", () => {
  const started = performance.now();
  expect(matchesPath("**/".repeat(80), `${"a/".repeat(200)}b`)).toBe(true);
  expect(matchesPath("*a".repeat(100), `${"a".repeat(5000)}b`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(500);
});

test("filesThatCount: strict wants watched and not ignored, loose anything that is not ignored", () => {
  const files = ["api/main.go", "api/README.md", "web/index.html", "docs/a.md"];
  const filter = (over: Partial<PathFilter>) =>
    filesThatCount(files, { watch_paths: [], ignore_paths: [], path_filter: "strict", ...over });
  expect(filter({})).toEqual(files);
  expect(filter({ watch_paths: ["api"] })).toEqual(["api/main.go", "api/README.md"]);
  expect(filter({ watch_paths: ["api"], ignore_paths: ["**/*.md"] })).toEqual(["api/main.go"]);
  expect(filter({ ignore_paths: ["**/*.md"] })).toEqual(["api/main.go", "web/index.html"]);
  const loose: PathFilter = { watch_paths: ["docs"], ignore_paths: ["**/*.md"], path_filter: "loose" };
  expect(filter(loose)).toEqual(["api/main.go", "web/index.html", "docs/a.md"]);
});
