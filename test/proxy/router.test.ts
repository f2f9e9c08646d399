import { expect, test } from "bun:test";
import { Router, type RouterParts } from "../../src/proxy/router.ts";
import { routeTo } from "./harness.ts";

const PARTS = { state: () => ({}), accessLog: () => undefined, secret: "s" } as unknown as RouterParts;

function router(paths: string[]): Router {
  const routes = paths.map((path) => routeTo([], { id: path, path, targets: [] }));
  return new Router({ routes }, PARTS);
}

test.each([
  ["/", "/"],
  ["/api", "/api"],
  ["/api/", "/api"],
  ["/apix", "/"],
  ["/api/v2", "/api/v2"],
  ["/api/v2/", "/api/v2"],
  ["/api/v2x", "/api"],
  ["/api/v1/v2", "/api"],
  ["/api%2fv2", "/"],
  ["//api", "/"],
  ["/a", "/"],
  ["*", "/"],
])("Router.find gives %s to the route of %s, the longest that fits whole segments", (path, route) => {
  expect(router(["/", "/api", "/api/v2"]).find("blog.test", { path })?.spec.id).toBe(route);
});

test("Router.find looks no longer for a path of thousands of slashes than for a short one", () => {
  const table = router(["/", "/api/v2"]);
  const took = (path: string) => {
    const startedAt = performance.now();
    for (let i = 0; i < 200; i++) expect(table.find("blog.test", { path })?.spec.id).toBe("/");
    return performance.now() - startedAt;
  };
  took("/x/y");
  expect(took("/x".repeat(4_000))).toBeLessThan(50 * took("/x/y"));
});
