import { expect, test } from "bun:test";
import { followLinks } from "../../../src/engine/site/links.ts";

test("followLinks follows as many links in a row as the kernel, and no hostile chain", () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, i) => ({ path: `l${i}`, target: i === length - 1 ? "file" : `l${i + 1}` }));
  const files = new Map([["file", "content"]]);
  expect(followLinks(files, chain(40), 1000)).toEqual([]);
  expect(files.get("l0")).toBe("content");
  const lost = followLinks(new Map([["file", "content"]]), chain(2_000), 100_000);
  expect(lost).toHaveLength(2_000 - 40);
});

test("followLinks takes a linked directory as it is by then, and none that there is no room for", () => {
  const files = new Map([
    ["a/one", 1],
    ["a/deep/two", 2],
    ["b/three", 3],
  ]);
  const links = [
    { path: "again", target: "linked/deep" },
    { path: "linked", target: "a/" },
    { path: "a/deep/up", target: "../../b" },
    { path: "a/self", target: "." },
    { path: "all", target: "./" },
    { path: "more", target: "linked" },
  ];
  const lost = followLinks(files, links, 7);
  expect(lost.map(({ path }) => path)).toEqual(["a/self", "all", "more"]);
  expect(Object.fromEntries(files)).toEqual({
    "a/one": 1,
    "a/deep/two": 2,
    "b/three": 3,
    "linked/one": 1,
    "linked/deep/two": 2,
    "a/deep/up/three": 3,
    "again/two": 2,
  });
});

test("followLinks of tens of thousands of links to one directory is done in a moment", () => {
  const files = new Map(Array.from({ length: 30_000 }, (_, i) => [`d/${i}`, i]));
  const links = Array.from({ length: 60_000 }, (_, i) => ({
    path: `l${i}`,
    target: i % 2 ? "d" : "nowhere",
  }));
  expect(followLinks(files, links, 100_000)).toHaveLength(59_998);
  expect(files.size).toBe(90_000);
});
