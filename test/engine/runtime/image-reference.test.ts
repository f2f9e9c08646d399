import { expect, test } from "bun:test";
import {
  imageName,
  loginServer,
  parseImage,
  parseServer,
  pinnedName,
  sameRepository,
} from "../../../src/engine/runtime/image-reference.ts";

const HEX = "a".repeat(64);

test("parseImage reads names as docker pull does", () => {
  const read = (text: string) => Object.values(parseImage(text));
  expect([
    read("nginx"),
    read("nginx:1.27"),
    read("you/app"),
    read("ghcr.io/you/app:1.2"),
    read("localhost/app"),
    read("localhost:5000/a/b/c"),
    read("registry.lan:5000/app:v1"),
    read("[fd00::1]:5000/app"),
    read(`ghcr.io/you/app@sha256:${HEX}`),
    read(`ghcr.io/you/app:1.2@sha256:${HEX}`),
    read("index.docker.io/you/app"),
    read("docker.io/nginx"),
    read(" GHCR.io/you/a__b-c.d "),
  ]).toEqual([
    ["docker.io", "library/nginx", "latest", null],
    ["docker.io", "library/nginx", "1.27", null],
    ["docker.io", "you/app", "latest", null],
    ["ghcr.io", "you/app", "1.2", null],
    ["localhost", "app", "latest", null],
    ["localhost:5000", "a/b/c", "latest", null],
    ["registry.lan:5000", "app", "v1", null],
    ["[fd00::1]:5000", "app", "latest", null],
    ["ghcr.io", "you/app", null, `sha256:${HEX}`],
    ["ghcr.io", "you/app", "1.2", `sha256:${HEX}`],
    ["docker.io", "you/app", "latest", null],
    ["docker.io", "library/nginx", "latest", null],
    ["ghcr.io", "you/a__b-c.d", "latest", null],
  ]);
});

for (const [bad, why] of [
  ["", "not the name"],
  ["You/app", "capital"],
  ["you/App", "capital"],
  ["-app", "not the name"],
  ["a//b", "not the name"],
  ["a/b/", "not the name"],
  ["a..b", "not the name"],
  ["a___b", "not the name"],
  ["app:", "tag"],
  ["app:-x", "tag"],
  [`app:${"t".repeat(129)}`, "tag"],
  ["app@sha256:abc", "digest"],
  [`app@md5:${HEX}`, "digest"],
  [HEX, "id"],
  ["https://ghcr.io/you/app", "names a registry"],
  ["ghcr.io:99999999/app", "names a registry"],
  ["../app", "names a registry"],
  ["app\nevil", "not the name"],
  [`${"a".repeat(256)}`, "not the name"],
  ["--privileged", "not the name"],
] as const)
  test(`parseImage refuses ${JSON.stringify(bad.slice(0, 40))}`, () => {
    expect(() => parseImage(bad)).toThrow(
      expect.objectContaining({ code: "invalid", message: expect.stringContaining(why) }),
    );
  });

test("imageName and pinnedName write the short form", () => {
  const short = (text: string) => imageName(parseImage(text));
  expect(short("docker.io/library/nginx")).toBe("nginx:latest");
  expect(short(`ghcr.io/you/app:1@sha256:${HEX}`)).toBe(`ghcr.io/you/app:1@sha256:${HEX}`);
  expect(pinnedName(parseImage("you/app:1"), `sha256:${HEX}`)).toBe(`you/app@sha256:${HEX}`);
});

test("sameRepository ignores tags and spelling, not paths", () => {
  expect(sameRepository("nginx", "docker.io/library/nginx:1.27")).toBe(true);
  expect(sameRepository("ghcr.io/you/app:1", "ghcr.io/you/other:1")).toBe(false);
});

test("parseServer takes a host with a port, and every name of Docker Hub for one", () => {
  const names = ["docker.io", "https://index.docker.io/v1/", "registry-1.docker.io", "Index.Docker.io"];
  expect(names.map((name) => parseServer(name))).toEqual(Array(4).fill("docker.io"));
  expect(parseServer("https://GHCR.io/")).toBe("ghcr.io");
  expect(parseServer("registry.lan:5000")).toBe("registry.lan:5000");
  for (const bad of ["", "ghcr.io/you", "a b", "http://", "ghcr.io:x", "user@ghcr.io"])
    expect(() => parseServer(bad)).toThrow(expect.objectContaining({ code: "invalid" }));
  expect([loginServer("docker.io"), loginServer("ghcr.io")]).toEqual([
    "https://index.docker.io/v1/",
    "ghcr.io",
  ]);
});
