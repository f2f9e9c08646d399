import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { parseHttpDate } from "../../src/proxy/http-date.ts";
import type { Route, SiteManifest } from "../../src/proxy/protocol.ts";
import {
  answering,
  eventually,
  exchange,
  OK,
  PROBE_TOKEN,
  RawBackend,
  RawClient,
  routeTo,
  type TestPlane,
} from "./harness.ts";
import { ask, parseAnswer, SITE, servingSite } from "./site-client.ts";
import { type Content, LAST_MODIFIED, writeSite } from "./site-fixture.ts";

const planes: TestPlane[] = [];

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.stop();
});

async function serving(
  files: Record<string, string | Content>,
  manifest: Partial<SiteManifest> = {},
  route: Partial<Route> = {},
): Promise<TestPlane> {
  const plane = await servingSite(files, manifest, route);
  planes.push(plane);
  return plane;
}

const PROBE = `X-Diplo-Probe: ${PROBE_TOKEN}`;
const CSS = "body { color: black }\n".repeat(200);
const LARGE = Buffer.alloc(3_000_000, "0123456789");

describe("a route to a static release", () => {
  test("answers with its files, and a probe learns which release it was", async () => {
    const plane = await serving({ "/index.html": "<h1>hi</h1>" });
    const { status, fields, body } = await ask(plane, "/", [PROBE]);
    expect([status, body]).toEqual([200, "<h1>hi</h1>"]);
    expect(fields.get("x-diplo-instance")).toBe("site1");
    expect((await ask(plane, "/none", [PROBE])).fields.get("x-diplo-instance")).toBe("site1");
    expect((await ask(plane, "/")).fields.has("x-diplo-instance")).toBe(false);
  });

  test("is refused when its manifest is missing or broken, and what served before goes on", async () => {
    const plane = await serving({ "/index.html": "first" });
    const table = (site: string) =>
      plane.put("/routes", plane.table([{ ...routeTo([]), targets: [{ ...SITE, site }] }]));
    const missing = await table("rel-2");
    expect(missing.status).toBe(422);
    expect(JSON.stringify(missing.body)).toContain("routes[0].targets[0].site: rel-2:");
    expect((await table("../rel-1")).status).toBe(422);
    await writeSite(join(plane.data, "proxy"), "rel-3", {});
    await writeFile(join(plane.data, "proxy", "sites", "rel-3", "manifest.json"), '{"version":1,"files":[]}');
    expect(JSON.stringify((await table("rel-3")).body)).toContain("rel-3: files: not an object");
    expect((await ask(plane, "/")).body).toBe("first");
  });

  test("whose files are gone costs that route only, and comes back with them", async () => {
    const plane = await serving({ "/index.html": "first" });
    await rm(join(plane.data, "proxy", "sites", "rel-1"), { recursive: true });
    const { status, fields } = await ask(plane, "/");
    expect([status, fields.get("x-diplo-error")]).toEqual([500, "internal"]);
    await writeSite(join(plane.data, "proxy"), "rel-1", { "/index.html": "again" });
    await eventually(async () => (await ask(plane, "/")).body === "again");
  });

  test("that was mended and has variants of other sizes now is read again", async () => {
    const css = { content: CSS, variants: ["gzip" as const] };
    const plane = await serving({ "/index.html": "root", "/a.css": css });
    expect((await ask(plane, "/")).body).toBe("root");
    const directory = join(plane.data, "proxy", "sites", "rel-1");
    const path = join(directory, "manifest.json");
    const manifest = (await Bun.file(path).json()) as SiteManifest;
    const file = manifest.files["/a.css"]!;
    const packed = gzipSync(CSS, { level: 0 });
    await writeFile(join(directory, `${file.sha256}.gz`), packed);
    await writeFile(join(directory, `${file.sha256}.br`), brotliCompressSync(CSS));
    file.variants = { gzip: packed.length, br: brotliCompressSync(CSS).length };
    await writeFile(path, JSON.stringify(manifest));
    await eventually(async () => {
      const { status, fields } = await ask(plane, "/a.css", ["Accept-Encoding: gzip, br"]);
      return status === 200 && fields.get("content-encoding") === "br";
    });
  });

  test("takes turns with an instance by weight, and stands in for one that refuses", async () => {
    const plane = await serving({ "/index.html": "site" });
    const backend = new RawBackend(answering(OK));
    const instance = { instance: "i0", release: 1, host: "127.0.0.1", port: backend.port };
    await plane.route([
      {
        ...routeTo([]),
        targets: [
          { ...SITE, weight: 3 },
          { ...instance, weight: 1 },
        ],
      },
    ]);
    const bodies: string[] = [];
    for (let i = 0; i < 8; i++) bodies.push((await ask(plane, "/")).body);
    expect(bodies.filter((body) => body === "site")).toHaveLength(6);
    backend.stop();
    for (let i = 0; i < 8; i++) expect((await ask(plane, "/")).body).toBe("site");
    expect((await plane.state()).in_flight).toMatchObject({ site1: 0, i0: 0 });
  });

  test("answers requests that were held for it", async () => {
    const plane = await serving({ "/index.html": "site" }, {}, { targets: [] });
    const held = ask(plane, "/");
    await eventually(async () => (await plane.state()).connections > 0);
    await plane.route([{ ...routeTo([]), targets: [SITE] }]);
    expect((await held).body).toBe("site");
  });

  test("takes the route's prefix away and puts it back into redirects", async () => {
    const redirects = [{ from: "/old", to: "/new", status: 302 as const, force: false }];
    const plane = await serving(
      { "/index.html": "root", "/docs/index.html": "docs" },
      { redirects },
      { path: "/site", strip_path: true },
    );
    expect((await ask(plane, "/site")).body).toBe("root");
    expect((await ask(plane, "/site/docs/")).body).toBe("docs");
    expect((await ask(plane, "/site/docs?a=1")).fields.get("location")).toBe("/site/docs/?a=1");
    expect((await ask(plane, "/site/old")).fields.get("location")).toBe("/site/new");
  });

  test("keeps the connection, answers what is sent at once in order, and HTTP/1.0 as it asks", async () => {
    const plane = await serving({ "/a.txt": "aaa", "/b.txt": "bbb" });
    const client = await RawClient.connect(plane.port);
    const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: blog.test\r\n${more}\r\n`;
    client.send(get("/a.txt") + get("/none") + get("/b.txt") + get("/a.txt", "Connection: close\r\n"));
    const all = await client.untilEnd();
    expect([...all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "200",
      "404",
      "200",
      "200",
    ]);
    expect(all.indexOf("aaa")).toBeLessThan(all.indexOf("bbb"));
    const old = await exchange(plane.port, "GET /a.txt HTTP/1.0\r\nHost: blog.test\r\n\r\n");
    expect(parseAnswer(old).fields.get("connection")).toBe("close");
  });
});

describe("a static release's paths", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    plane = await servingSite(
      {
        "/index.html": "root",
        "/docs/index.html": "docs",
        "/about.html": "about",
        "/über uns.html": "umlaut",
        "/404.html": "lost",
        "/100%.txt": "percent",
      },
      { error_page: "/404.html" },
    );
  });
  afterAll(() => plane.stop());

  test.each([
    ["/", 200, "root"],
    ["/index.html", 200, "root"],
    ["/docs/", 200, "docs"],
    ["/about", 200, "about"],
    ["/about.html", 200, "about"],
    ["/./docs/../about", 200, "about"],
    ["/%C3%BCber%20uns", 200, "umlaut"],
    ["/100%25.txt", 200, "percent"],
    ["/none", 404, "lost"],
    ["/docs/none", 404, "lost"],
    ["/ABOUT", 404, "lost"],
    ["/%ff", 400, ""],
    ["/%zz", 400, ""],
    ["/a%00b", 400, ""],
  ])("%s is %d", async (path, status, body) => {
    const answer = await ask(plane, path);
    expect(answer.status).toBe(status);
    if (body !== "") expect(answer.body).toBe(body);
  });

  test.each([
    ["/docs", "/docs/"],
    ["/docs?q=1&r", "/docs/?q=1&r"],
    ["/about/?x", "/about?x"],
    ["/%64ocs", "/%64ocs/"],
  ])("%s redirects to %s", async (path, location) => {
    const { status, fields } = await ask(plane, path);
    expect([status, fields.get("location")]).toEqual([301, location]);
  });

  test("without a file are the index where the app routes in the browser", async () => {
    const spa = await serving({ "/index.html": "app", "/x.js": "js" }, { spa: true });
    expect(await ask(spa, "/some/where")).toMatchObject({ status: 200, body: "app" });
    expect((await ask(spa, "/x.js")).body).toBe("js");
  });

  test("without a file are the proxy's own page where there is no other", async () => {
    const bare = await serving({ "/index.html": "root" });
    const { status, fields, body } = await ask(bare, "/none", ["Accept: text/html"]);
    expect([status, fields.get("x-diplo-error")]).toEqual([404, "not_found"]);
    expect(body).toContain("Not found");
  });
});

describe("a static release's methods", () => {
  test("HEAD is GET without the content, OPTIONS says what is allowed, others are 405", async () => {
    const plane = await serving({ "/a.txt": "hello" });
    const get = await ask(plane, "/a.txt");
    const head = await ask(plane, "/a.txt", [], "HEAD");
    get.fields.delete("date");
    head.fields.delete("date");
    expect(head).toEqual({ ...get, body: "" });
    const options = await ask(plane, "*", [], "OPTIONS");
    expect([options.status, options.fields.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const post = await ask(plane, "/a.txt", ["Content-Length: 3"], "POST");
    expect([post.status, post.fields.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(post.fields.get("x-diplo-error")).toBe("method_not_allowed");
  });

  test("a body that nobody reads does not become the next request", async () => {
    const plane = await serving({ "/a.txt": "hello" });
    const smuggled = "GET /a.txt HTTP/1.1\r\nHost: blog.test\r\n\r\n";
    const request = `POST /a.txt HTTP/1.1\r\nHost: blog.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`;
    expect((await exchange(plane.port, request)).match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe("a static release's fields", () => {
  test("say type, length, validators, how long to keep, and not to guess", async () => {
    const plane = await serving({
      "/index.html": "hi",
      "/assets/app-B3xK9_aQ.js": "1",
      "/photo-vacation.jpg": "x",
    });
    const { fields } = await ask(plane, "/");
    expect(fields.get("content-type")).toBe("text/html; charset=utf-8");
    expect(fields.get("content-length")).toBe("2");
    expect(fields.get("last-modified")).toBe(LAST_MODIFIED);
    expect(fields.get("etag")).toMatch(/^"[0-9a-f]{24}"$/);
    expect(fields.get("cache-control")).toBe("no-cache");
    expect(fields.get("x-content-type-options")).toBe("nosniff");
    expect(fields.has("vary")).toBe(false);
    expect(Math.abs(Date.now() - parseHttpDate(fields.get("date")!))).toBeLessThan(3_000);
    const cacheControl = async (path: string) => (await ask(plane, path)).fields.get("cache-control");
    expect(await cacheControl("/assets/app-B3xK9_aQ.js")).toBe("public, max-age=31536000, immutable");
    expect(await cacheControl("/photo-vacation.jpg")).toBe("public, max-age=3600");
  });

  test("come from the site's rules: later ones join or replace, what is the proxy's own stays", async () => {
    const plane = await serving(
      { "/index.html": "hi", "/blog/a.html": "a", "/raw.bin": "b" },
      {
        cache_control: "max-age=5",
        headers: [
          {
            path: "/*",
            set: [
              ["X-Frame-Options", "DENY"],
              ["Link", "</a>"],
              ["Content-Length", "99"],
              ["Transfer-Encoding", "chunked"],
              ["X-Diplo-Instance", "evil"],
              ["Set-Cookie", "diplo_session=evil"],
            ],
            remove: [],
          },
          {
            path: "/blog/:slug",
            set: [
              ["Link", "</b>"],
              ["cache-control", "no-store"],
            ],
            remove: ["x-frame-options"],
          },
          { path: "/raw.bin", set: [["Content-Type", "text/x-raw"]], remove: [] },
        ],
      },
    );
    const root = (await ask(plane, "/")).fields;
    expect([root.get("x-frame-options"), root.get("link"), root.get("cache-control")]).toEqual([
      "DENY",
      "</a>",
      "max-age=5",
    ]);
    expect([root.get("content-length"), root.has("transfer-encoding"), root.has("x-diplo-instance")]).toEqual(
      ["2", false, false],
    );
    expect(root.has("set-cookie")).toBe(false);
    const post = (await ask(plane, "/blog/a")).fields;
    expect([post.has("x-frame-options"), post.get("link"), post.get("cache-control")]).toEqual([
      false,
      "</a>, </b>",
      "no-store",
    ]);
    expect((await ask(plane, "/raw.bin")).fields.get("content-type")).toBe("text/x-raw");
  });
});

describe("a static release's redirects", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    const rule = (from: string, to: string, status: 200 | 301 | 302 | 404 = 301, force = false) => ({
      from,
      to,
      status,
      force,
    });
    plane = await servingSite(
      {
        "/index.html": "root",
        "/about.html": "about",
        "/gone.html": "gone",
        "/app/index.html": "app",
        "/e/index.html": "e",
      },
      {
        redirects: [
          rule("/old", "/new"),
          rule("/part", "/new#there"),
          rule("/full", "/new?b=?#there"),
          rule("/blog/:year/:slug", "/posts/:slug?y=:year"),
          rule("/to/*", "/:splat", 302),
          rule("/away/*", "https://other.test/:splat"),
          rule("/about", "/never"),
          rule("/e/", "/forced", 302, true),
          rule("/app/*", "/app/index.html", 200),
          rule("/rest/*", "/gone.html", 404),
        ],
      },
    );
  });
  afterAll(() => plane.stop());

  test.each([
    ["/old", 301, "/new"],
    ["/old/", 301, "/new"],
    ["/old?a=1", 301, "/new?a=1"],
    ["/part?a=1", 301, "/new?a=1#there"],
    ["/full?a=1", 301, "/new?b=?#there"],
    ["/blog/2026/hello?x", 301, "/posts/hello?y=2026"],
    ["/to/a/b", 302, "/a/b"],
    ["/away/a%3Fb%0d%0aX:y", 301, "https://other.test/a%3Fb%0D%0AX%3Ay"],
    ["/e/", 302, "/forced"],
    ["/to//evil.test/", 302, "/evil.test/"],
    ["/to/%2Fevil.test", 302, "/evil.test"],
    ["/to/%5Cevil.test", 302, "/%5Cevil.test"],
  ])("%s is %d to %s", async (path, status, location) => {
    const { status: got, fields } = await ask(plane, path);
    expect([got, fields.get("location")]).toEqual([status, location]);
  });

  test.each([
    ["/about", 200, "about"],
    ["/app/deep/link", 200, "app"],
    ["/rest/x", 404, "gone"],
  ])("%s is %d with a file", async (path, status, body) => {
    expect(await ask(plane, path)).toMatchObject({ status, body });
  });
});

describe("a static release's variants", () => {
  let plane: TestPlane;
  beforeAll(async () => {
    plane = await servingSite({
      "/a.css": { content: CSS, variants: ["br", "gzip"] },
      "/g.css": { content: CSS, variants: ["gzip"] },
      "/plain.txt": "x",
    });
  });
  afterAll(() => plane.stop());

  test.each([
    ["", "/a.css", undefined],
    ["br", "/a.css", "br"],
    ["gzip, deflate, br, zstd", "/a.css", "br"],
    ["gzip;q=1.0, br;q=0.5", "/a.css", "gzip"],
    ["br;q=0, gzip", "/a.css", "gzip"],
    ["*", "/a.css", "br"],
    ["br;q=0, *;q=0.1", "/a.css", "gzip"],
    ["identity, gzip;q=0.5", "/a.css", undefined],
    ["identity;q=0, gzip;q=0.1", "/a.css", "gzip"],
    ["identity;q=0", "/plain.txt", undefined],
    ["br;q=nonsense", "/a.css", undefined],
    ["BR", "/a.css", "br"],
    ["br", "/g.css", undefined],
    ["x-gzip", "/g.css", "gzip"],
  ])("%p for %s gives %p", async (accept, path, coding) => {
    const { fields, body } = await ask(plane, path, accept === "" ? [] : [`Accept-Encoding: ${accept}`]);
    expect(fields.get("content-encoding")).toBe(coding as string);
    expect(fields.get("vary")).toBe(
      path === "/plain.txt" ? (undefined as unknown as string) : "Accept-Encoding",
    );
    const bytes = Buffer.from(body, "latin1");
    const plain =
      coding === "br" ? brotliDecompressSync(bytes) : coding === "gzip" ? gunzipSync(bytes) : bytes;
    expect(plain.toString()).toBe(path === "/plain.txt" ? "x" : CSS);
    expect(fields.get("content-length")).toBe(String(bytes.length));
  });

  test("have validators of their own", async () => {
    const tags = await Promise.all(
      ["br", "gzip", "identity"].map(async (coding) =>
        (await ask(plane, "/a.css", [`Accept-Encoding: ${coding}`])).fields.get("etag"),
      ),
    );
    expect(new Set(tags).size).toBe(3);
  });
});

describe("conditions", () => {
  let plane: TestPlane;
  let etag: string;
  beforeAll(async () => {
    plane = await servingSite(
      { "/a.txt": "hello", "/404.html": "lost" },
      { error_page: "/404.html", headers: [{ path: "/*", set: [["X-Own", "1"]], remove: [] }] },
    );
    etag = (await ask(plane, "/a.txt")).fields.get("etag")!;
  });
  afterAll(() => plane.stop());
  const LATER = "Sun, 01 Mar 2026 00:00:00 GMT";
  const EARLIER = "Thu, 01 Jan 2026 00:00:00 GMT";

  test.each([
    ["If-None-Match: ETAG", 304],
    ["If-None-Match: W/ETAG", 304],
    ['If-None-Match: "x", ETAG', 304],
    ["If-None-Match: *", 304],
    ['If-None-Match: "x"', 200],
    [`If-Modified-Since: ${LAST_MODIFIED}`, 304],
    [`If-Modified-Since: ${LATER}`, 304],
    ["If-Modified-Since: Sunday, 01-Mar-26 00:00:00 GMT", 304],
    ["If-Modified-Since: Sun Mar  1 00:00:00 2026", 304],
    [`If-Modified-Since: ${EARLIER}`, 200],
    ["If-Modified-Since: yesterday", 200],
    ["If-Match: ETAG", 200],
    ["If-Match: *", 200],
    ["If-Match: W/ETAG", 412],
    ['If-Match: "x"', 412],
    [`If-Unmodified-Since: ${EARLIER}`, 412],
    [`If-Unmodified-Since: ${LATER}`, 200],
  ])("%s is %d", async (field, status) => {
    const { status: got, body } = await ask(plane, "/a.txt", [field.replace("ETAG", etag)]);
    expect([got, body]).toEqual([status, status === 200 ? "hello" : ""]);
  });

  test("If-None-Match has the word over If-Modified-Since", async () => {
    const fields = ['If-None-Match: "x"', `If-Modified-Since: ${LATER}`];
    expect((await ask(plane, "/a.txt", fields)).status).toBe(200);
  });

  test("304 says what a cache must know and nothing of a content", async () => {
    const { fields } = await ask(plane, "/a.txt", [`If-None-Match: ${etag}`]);
    expect(fields.get("etag")).toBe(etag);
    expect(fields.get("cache-control")).toBe("public, max-age=3600");
    expect(fields.get("x-own")).toBe("1");
    expect(fields.has("date")).toBe(true);
    for (const name of ["content-type", "content-length", "content-encoding"])
      expect(fields.has(name)).toBe(false);
  });

  test("do not turn a missing page into an unchanged one", async () => {
    const { status, fields } = await ask(plane, "/none", ["If-None-Match: *", `If-Modified-Since: ${LATER}`]);
    expect([status, fields.has("etag")]).toEqual([404, false]);
  });
});

describe("ranges", () => {
  let plane: TestPlane;
  let etag: string;
  beforeAll(async () => {
    plane = await servingSite({ "/a.txt": "0123456789", "/empty.txt": "", "/large.bin": { content: LARGE } });
    etag = (await ask(plane, "/a.txt")).fields.get("etag")!;
  });
  afterAll(() => plane.stop());

  test.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=5-", 206, "56789", "bytes 5-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=9-99", 206, "9", "bytes 9-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=4-2", 200, "0123456789", undefined],
    ["bytes=0-1,4-5", 200, "0123456789", undefined],
    ["lines=0-1", 200, "0123456789", undefined],
    ["bytes=a-b", 200, "0123456789", undefined],
    ["bytes=99999999999999999999-", 416, "", "bytes */10"],
  ])("%s is %d", async (range, status, body, contentRange) => {
    const answer = await ask(plane, "/a.txt", [`Range: ${range}`]);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.fields.get("content-range")).toBe(contentRange as string);
    expect(answer.fields.get("content-length")).toBe(String(body.length));
  });

  test("hold only while If-Range fits, and are for GET alone", async () => {
    const ranged = async (ifRange: string) =>
      (await ask(plane, "/a.txt", ["Range: bytes=0-3", `If-Range: ${ifRange}`])).status;
    expect(await ranged(etag)).toBe(206);
    expect(await ranged(LAST_MODIFIED)).toBe(206);
    expect(await ranged('"other"')).toBe(200);
    expect(await ranged(`W/${etag}`)).toBe(200);
    expect((await ask(plane, "/a.txt", ["Range: bytes=0-3"], "HEAD")).status).toBe(200);
  });

  test("of a large file come from the middle of it, and an empty file is whole", async () => {
    const { status, body } = await ask(plane, "/large.bin", ["Range: bytes=1500005-2500004"]);
    expect(status).toBe(206);
    expect(body === LARGE.toString("latin1", 1_500_005, 2_500_005)).toBe(true);
    expect(await ask(plane, "/empty.txt")).toMatchObject({ status: 200, body: "" });
  });
});

describe("large files", () => {
  test("wait for the client, are counted while they do, and arrive whole", async () => {
    const content = Buffer.alloc(40_000_000, "0123456789");
    const plane = await serving({ "/large.bin": { content } });
    const client = await RawClient.connect(plane.port);
    client.socket.pause();
    client.send("GET /large.bin HTTP/1.1\r\nHost: blog.test\r\nConnection: close\r\n\r\n");
    await eventually(async () => (await plane.state()).in_flight.site1 === 1);
    client.socket.resume();
    const all = await client.untilEnd(20_000);
    expect(all.length - all.indexOf("\r\n\r\n") - 4).toBe(content.length);
    expect(all.endsWith(content.toString("latin1", content.length - 1_000_003))).toBe(true);
    expect((await plane.state()).in_flight.site1).toBe(0);
  });

  test("let go of their file when the client leaves", async () => {
    const plane = await serving({ "/large.bin": { content: Buffer.alloc(40_000_000) } });
    const client = await RawClient.connect(plane.port);
    client.socket.pause();
    client.send("GET /large.bin HTTP/1.1\r\nHost: blog.test\r\n\r\n");
    await eventually(async () => (await plane.state()).in_flight.site1 === 1);
    client.socket.terminate();
    await eventually(async () => (await plane.state()).in_flight.site1 === 0);
  });
});
