import { expect, test } from "bun:test";
import { Routes, type RoutesOptions } from "../../../src/product/routes/routes.ts";
import { product } from "../../support/product.ts";

test.each([
  ["127.0.0.1:80", "127.0.0.1"],
  ["[::1]:80", "[::1]"],
])("Routes.probe and addresses reach an app where the data plane listens: %s", async (http, host) => {
  const nouns = await product({ DIPLO_HTTP: http });
  const environment = await nouns.environments.create("blog", "me");
  const routes = new Routes({ ...nouns, proxy: {}, ownCookies: [] } as unknown as RoutesOptions);
  using server = Bun.serve({
    hostname: nouns.settings.http.host,
    port: environment.port,
    fetch: (request) =>
      new Response(null, {
        status: 204,
        headers: { "x-diplo-instance": `of ${request.headers.get("host")}` },
      }),
  });
  expect(await routes.probe(environment, "/", 2_000)).toEqual({
    instance: "of blog.local",
    status: 204,
    error: null,
  });
  expect(routes.addresses("blog")[0]?.url).toBe(`http://${host}:${server.port}`);
});

test.each(["0.0.0.0:80", "[::]:80"])("Routes.addresses of %s names the box itself", async (http) => {
  const nouns = await product({ DIPLO_HTTP: http });
  const { port } = await nouns.environments.create("blog", "me");
  const routes = new Routes({ ...nouns, proxy: {}, ownCookies: [] } as unknown as RoutesOptions);
  expect(routes.addresses("blog")[0]?.url).toMatch(new RegExp(`^http://[\\d.]+:${port}$`));
});
