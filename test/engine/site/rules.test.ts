import { expect, test } from "bun:test";
import { parseHeaders } from "../../../src/engine/site/headers-file.ts";
import { parseRedirects } from "../../../src/engine/site/redirects-file.ts";
import { siteRules } from "../../../src/engine/site/site-rules.ts";
import { checkSiteManifest } from "../../../src/proxy/site-manifest.ts";

test("parseHeaders reads paths, values and removals, in order", () => {
  const { rules, warnings } = parseHeaders(
    "# all\r\n/*\r\n  X-Frame-Options: DENY\r\n  Link: </a.css>; rel=preload\r\n\r\n/blog/:slug\n\tCache-Control: public, max-age=60\n  ! X-Frame-Options\n/caf%C3%A9\n  X-A: 1\n",
  );
  expect(warnings).toEqual([]);
  expect(rules).toEqual([
    {
      path: "/*",
      set: [
        ["X-Frame-Options", "DENY"],
        ["Link", "</a.css>; rel=preload"],
      ],
      remove: [],
    },
    { path: "/blog/:slug", set: [["Cache-Control", "public, max-age=60"]], remove: ["X-Frame-Options"] },
    { path: "/café", set: [["X-A", "1"]], remove: [] },
  ]);
});

test.each([
  ["  X-A: 1", 1, "before any path"],
  ["https://example.org/*\n  X-A: 1", 1, "host names are not matched"],
  ["/a/*/b/*\n  X-A: 1", 1, "more than one *"],
  ["/%zz\n  X-A: 1", 1, "% encoding"],
  ["/a?b=c\n  X-A: 1", 1, "query"],
  ["/\n  Content-Length: 5", 2, "set by the server itself"],
  ["/\n  transfer-encoding: chunked", 2, "set by the server itself"],
  ["/\n  Set-Cookie: a=b", 2, "set by the server itself"],
  ["/\n  X-Diplo-Instance: me", 2, "set by the server itself"],
  ['/\n  ETag: "1"', 2, "set by the server itself"],
  ["/\n  Location: /b", 2, "set by the server itself"],
  ["/\n  X-A:", 2, "has no value"],
  ["/a%2A\n  X-A: 1", 1, "encoded *"],
  ["/a%00\n  X-A: 1", 1, "% encoding"],
  ["/\n  X A: 1", 2, "no name of a header"],
  ["/\n  X-A: caf\u00e9", 2, "characters that headers cannot carry"],
  ["/\n  X-A: a\u0000b", 2, "characters that headers cannot carry"],
  ["/\n  ! ", 2, "no name of a header after !"],
  ["/\n  nothing", 2, "neither a path nor"],
  [`/\n  X-A: ${"a".repeat(5000)}`, 2, "longer than"],
])("parseHeaders leaves %j out and says why", (text, line, why) => {
  const { rules, warnings } = parseHeaders(text);
  expect(rules).toEqual([]);
  expect(warnings).toEqual([expect.stringMatching(new RegExp(`^_headers line ${line}: .*`))]);
  expect(warnings[0]).toContain(why);
});

test("parseHeaders gives headers of an unusable path to no other path", () => {
  const { rules } = parseHeaders("/a\n  X-A: 1\nhttps://b/\n  X-B: 2\n/c\n  X-C: 3\n");
  expect(rules.map(({ path, set }) => [path, set.map(([name]) => name)])).toEqual([
    ["/a", ["X-A"]],
    ["/c", ["X-C"]],
  ]);
});

test("parseRedirects reads splats, placeholders, statuses and force", () => {
  const { rules, warnings } = parseRedirects(
    "# comment\n/old /new\n/news/* /blog/:splat 302 # moved\n/u/:id/p/:page https://example.org/:id?p=:page 308\n/shop/* /closed.html 404!\n/* /index.html 200\n/é /%C3%A9.html 200\n/x /ä#part 301\n",
  );
  expect(warnings).toEqual([]);
  expect(rules).toEqual([
    { from: "/old", to: "/new", status: 301, force: false },
    { from: "/news/*", to: "/blog/:splat", status: 302, force: false },
    { from: "/u/:id/p/:page", to: "https://example.org/:id?p=:page", status: 308, force: false },
    { from: "/shop/*", to: "/closed.html", status: 404, force: true },
    { from: "/*", to: "/index.html", status: 200, force: false },
    { from: "/é", to: "/é.html", status: 200, force: false },
    { from: "/x", to: "/%C3%A4#part", status: 301, force: false },
  ]);
});

test.each([
  ["/a", "no target"],
  ["a /b", "a path starts with /"],
  ["http://a.example/* /b", "host names are not matched"],
  ["/a b", "neither a path nor an http(s) address"],
  ["/a //evil.example/", "has no scheme"],
  ["/a https://", "no address"],
  ["/a https:///b", "no address"],
  ["/* https://b.example:splat", "in its host"],
  ["/:a https://:a.example/", "in its host"],
  ["/a /a", "leads to itself"],
  ["/a /a/", "leads to itself"],
  ["/a/* /b%00 200", "% encoding of the target"],
  ["/a /b 200x", "is no status"],
  ["/a /b 418", "status 418 is not one of"],
  ["/api/* https://api.example/:splat 200", "does not fetch from elsewhere"],
  ["/a id=:id /b/:id 301", "query parameters"],
  ["/a /b 301 Country=de", "conditions"],
  ["/a /b/:splat", "uses :splat"],
  ["/a/:b /c/:d", "uses :d"],
  ["/a /%zz 200", "% encoding of the target"],
  ["/:a/:a /b", "a placeholder stands twice"],
])("parseRedirects leaves %j out and says why", (line, why) => {
  const { rules, warnings } = parseRedirects(`\n${line}\n`);
  expect(rules).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toStartWith("_redirects line 2: ");
  expect(warnings[0]).toContain(why);
});

const OPTIONS = { index: "index.html", spa: false, error_page: null, headers: {}, cache_control: null };
const has = (...paths: string[]) => paths.includes.bind(paths) as (path: string) => boolean;
const NONE = { headers: "", redirects: "" };

test("siteRules takes 404.html for the error page when there is one", () => {
  expect(siteRules(OPTIONS, NONE, has("/404.html")).rules.error_page).toBe("/404.html");
  expect(siteRules(OPTIONS, NONE, has())).toMatchObject({ rules: { error_page: null }, warnings: [] });
  const own = siteRules({ ...OPTIONS, error_page: "lost.html" }, NONE, has("/404.html"));
  expect(own).toMatchObject({
    rules: { error_page: null },
    warnings: ["error_page: the site has no /lost.html; Diplo's own page is used"],
  });
});

test("siteRules puts the settings' headers after the site's own, and tells of pages that do not exist", () => {
  const { rules, warnings } = siteRules(
    { ...OPTIONS, spa: true, headers: { "/*": { "X-A": "2" } } },
    { headers: "/*\n  X-A: 1", redirects: "/a /gone.html 200\n/b /page 404\n/c/* /in/:splat 200" },
    has("/page.html"),
  );
  expect(rules.headers.map(({ set }) => set)).toEqual([[["X-A", "1"]], [["X-A", "2"]]]);
  expect(warnings).toEqual([
    "spa: the site has no index.html to answer unknown paths with",
    "_redirects: /a is answered with /gone.html, which does not exist",
  ]);
});

test("siteRules makes of any text what the data plane takes, or the table of all apps would be refused", () => {
  const words = [
    "/a b",
    "/a%20b",
    "/%2A",
    "/%00",
    "/*",
    "/:x",
    "/é",
    "/%0d%0aX:y",
    "//b",
    "/\\b",
    "/#c",
    "/\u010a",
  ];
  const targets = [
    ...words,
    "HTTPS://b.example/c",
    "https:///c",
    "https://é.example/:x",
    "https://b.example/ä?d",
  ];
  const redirects = words.flatMap((from) =>
    targets.flatMap((to) => [301, 200, 404].map((status) => `${from} ${to} ${status}`)),
  );
  const headers = words.map((path) => `${path}\n  X-A:\n  X-B: \t \n  X-C: 1`);
  const { rules } = siteRules(
    {
      ...OPTIONS,
      headers: Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`/${i}`, { "X-D": "1" }])),
    },
    { headers: headers.join("\n"), redirects: [...redirects, ..."x".repeat(11_000)].join("\n/x /y\n") },
    has(),
  );
  expect(rules.redirects.length).toBeGreaterThan(100);
  expect(checkSiteManifest({ version: 1, files: {}, ...rules })).toMatchObject(rules);
});
