import { expect, test } from "bun:test";
import { described, type Files, outcomeOf, planOf } from "./plan-of.ts";

const POSITIVE: Record<string, Files> = {
  "a page at the root": { "index.html": "<h1>", "style.css": "" },
  "a single page app by _redirects": { "index.html": "", _redirects: "# all\n/*    /index.html   200\n" },
  "a built site in dist": { "dist/index.html": "", "README.md": "" },
  "a built site in public, chosen before the root": { "public/index.html": "", "index.html": "" },
  "a site in _site": { "_site/index.html": "" },
  "a site with a worker": { "index.html": "", Procfile: "worker: sh -c 'while true; do sleep 60; done'" },
};

test.each(Object.keys(POSITIVE))("static plans %s", async (name) => {
  expect(await described(POSITIVE[name]!)).toMatchSnapshot();
});

test("static leaves programs and trees without a page alone", async () => {
  expect(await outcomeOf({ "index.html": "", "package.json": { scripts: { start: "node x" } } })).toBe(
    "node",
  );
  expect(await outcomeOf({ "about.html": "" })).toBe("nothing_detected");
});

test("static takes a rewrite of one path for no single page app", async () => {
  const plan = await planOf({ "index.html": "", _redirects: "/old /new 301\n/api/* /.netlify/x 200" });
  expect(plan.static).toMatchObject({ spa: { value: false }, root: { value: "." } });
});
