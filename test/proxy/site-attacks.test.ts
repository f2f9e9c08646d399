import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { link, mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { checkSiteManifest } from "../../src/proxy/site-manifest.ts";
import { exchange, type TestPlane } from "./harness.ts";
import { ask, parseAnswer, servingSite } from "./site-client.ts";
import { writeSite } from "./site-fixture.ts";

const SECRET = "SECRET beside the site";

describe("no path leaves a static release", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    plane = await servingSite({ "/index.html": "root", "/docs/index.html": "docs", "/a..b": "dots" });
    const proxy = join(plane.data, "proxy");
    await writeFile(join(plane.data, "secret"), SECRET);
    await writeFile(join(proxy, "secret"), SECRET);
    await writeFile(join(proxy, "sites", "secret"), SECRET);
    await writeFile(join(proxy, "sites", "rel-1", "secret"), SECRET);
    await symlink(join(plane.data, "secret"), join(proxy, "sites", "rel-1", "link"));
    await symlink("/", join(proxy, "sites", "rel-1", "slash"));
  });
  afterAll(() => plane.stop());

  const ups = [
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%252e%252e",
    "..%00",
    "...",
    "..;",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "..%c0%af",
    "..%255c",
  ];
  const slashes = ["/", "%2f", "%2F", "%5c", "\\", "%252f", "//", "/./", "%c0%af"];
  const targets = ["secret", "etc/passwd"];
  const climbing = ups.flatMap((up) =>
    slashes.flatMap((slash) =>
      [1, 3].flatMap((n) => targets.map((to) => `/${`${up}${slash}`.repeat(n)}${to}`)),
    ),
  );
  const direct = [
    "/secret",
    "/link",
    "/slash/etc/passwd",
    "/manifest.json",
    "/manifest.json/",
    "/docs/../secret",
    "/docs/%2e%2e/secret",
    "/index.html/../secret",
    "/index.html.",
    "/index.html%20",
    "/index.html/",
    "/index.html::$DATA",
    "/index.html%00.txt",
    "/%00",
    "//secret",
    "///etc/passwd",
    "/proc/self/environ",
    "/.%00./secret",
    "/docs%2f..%2f..%2fsecret",
    "/a..b/../../../secret",
    `/${"../".repeat(2_000)}secret`,
    `/${"a/".repeat(3_000)}${"../".repeat(3_001)}secret`,
    `/${"x".repeat(8_000)}`,
    "/__proto__",
    "/constructor",
    "/toString",
  ];

  test(`${climbing.length + direct.length} ways out`, async () => {
    const own = new Set(["root", "docs", "dots"]);
    for (const path of [...climbing, ...direct]) {
      const request = `GET ${path} HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n`;
      const answer = parseAnswer(await exchange(plane.port, request));
      const told = `${path.slice(0, 80)}: ${answer.status}`;
      if (answer.status === 200) expect([told, own.has(answer.body)]).toEqual([told, true]);
      else expect([301, 400, 404, 431]).toContain(answer.status);
      expect(answer.body).not.toContain("SECRET");
      expect(answer.body).not.toContain("root:");
      expect(answer.body).not.toContain("sha256");
    }
  }, 30_000);

  test("the whole address form changes nothing", async () => {
    const get = (target: string) =>
      exchange(plane.port, `GET ${target} HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n`);
    expect(parseAnswer(await get("http://blog.test/docs/")).body).toBe("docs");
    for (const target of [
      "http://blog.test/../secret",
      "http://blog.test/%2e%2e/secret",
      "file:///etc/passwd",
    ])
      expect(parseAnswer(await get(target)).status).toBe(400);
  });
});

describe("a directory that was tampered with", () => {
  const planes: TestPlane[] = [];
  afterEach(async () => {
    for (const plane of planes.splice(0)) await plane.stop();
  });

  async function tampered(change: (directory: string, blob: string, plane: TestPlane) => Promise<unknown>) {
    const plane = await servingSite({ "/index.html": "root" });
    planes.push(plane);
    await writeFile(join(plane.data, "secret"), SECRET.slice(0, 4));
    const manifest = await writeSite(join(plane.data, "proxy"), "rel-1", { "/index.html": "root" });
    const directory = join(plane.data, "proxy", "sites", "rel-1");
    await change(directory, join(directory, manifest.files["/index.html"]!.sha256), plane);
    return ask(plane, "/");
  }

  test.each<[string, (directory: string, blob: string, plane: TestPlane) => Promise<unknown>]>([
    [
      "a link in the place of a file",
      async (_, blob, plane) => {
        await rm(blob);
        await symlink(join(plane.data, "secret"), blob);
      },
    ],
    [
      "a link in the place of the site",
      async (directory, blob, plane) => {
        const elsewhere = join(plane.data, "elsewhere");
        await rename(directory, elsewhere);
        await writeFile(blob.replace(directory, elsewhere), "evil");
        await symlink(elsewhere, directory);
      },
    ],
    [
      "a directory in the place of a file",
      async (_, blob) => {
        await rm(blob);
        await mkdir(blob);
      },
    ],
    [
      "a pipe in the place of a file",
      async (_, blob) => {
        await rm(blob);
        await $`mkfifo ${blob}`;
      },
    ],
    ["a shorter file", (_, blob) => truncate(blob, 2)],
    [
      "another, longer file",
      async (_, blob, plane) => {
        await rm(blob);
        await writeFile(join(plane.data, "long"), SECRET);
        await link(join(plane.data, "long"), blob);
      },
    ],
    ["no file", (_, blob) => rm(blob)],
  ])("%s is answered 500, at once, with nothing of it", async (_, change) => {
    const { status, fields, body } = await tampered(change);
    expect([status, fields.get("x-diplo-error")]).toEqual([500, "internal"]);
    expect(body).not.toMatch(/SECR|evil/);
  });
});

describe("checkSiteManifest refuses", () => {
  const file = { sha256: "a".repeat(64), size: 1, type: "text/plain", modified_at: 0, variants: {} };
  const manifest = {
    version: 1,
    files: { "/a": file },
    index: "index.html",
    spa: false,
    error_page: null,
    cache_control: null,
    headers: [],
    redirects: [],
  };
  const header = (set: [string, string][]) => ({ headers: [{ path: "/*", set, remove: [] }] });
  const redirect = (from: string, to: string, status = 301) => ({
    redirects: [{ from, to, status, force: false }],
  });

  test("nothing of a sound one", () => {
    expect(checkSiteManifest(manifest).files["/a"]!.size).toBe(1);
  });

  test.each<[string, object, string]>([
    [
      "a name that is no digest",
      { files: { "/a": { ...file, sha256: "../../../../etc/passwd" } } },
      'files["/a"].sha256',
    ],
    ["a path without its slash", { files: { a: file } }, 'files["a"]'],
    ["an empty segment", { files: { "//a": file } }, 'files["//a"]'],
    ["a destination that is no ASCII", redirect("/a", "/\u010a"), "redirects[0].to"],
    ["a line end in a type", { files: { "/a": { ...file, type: "a\r\nX: y" } } }, "type"],
    ["a negative size", { files: { "/a": { ...file, size: -1 } } }, "size"],
    ["a directory as index", { index: "a/b" }, "index"],
    ["a line end in a field", header([["X-A", "b\r\nSet-Cookie: c"]]), "headers[0].set[0][1]"],
    ["a colon in a name", header([["X-A: b\r\n", "c"]]), "headers[0].set[0][0]"],
    ["two stars", redirect("/*/a/*", "/"), "redirects[0].from"],
    ["a line end in a destination", redirect("/a", "/b\r\nX: y"), "redirects[0].to"],
    ["another scheme", redirect("/a", "javascript:alert(1)"), "redirects[0].to"],
    ["a rewrite to another host", redirect("/a", "https://x.test/", 200), "redirects[0].to"],
    ["an unknown status", redirect("/a", "/b", 201), "redirects[0].status"],
    ["rules without end", { redirects: Array(3_000).fill(redirect("/a", "/b").redirects[0]) }, "redirects"],
  ])("%s", (_, change, place) => {
    expect(() => checkSiteManifest({ ...manifest, ...change })).toThrow(place);
  });
});
