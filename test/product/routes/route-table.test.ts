import { expect, test } from "bun:test";
import { DEFAULT_SETTINGS, type EnvironmentSettings } from "../../../src/product/environments/settings.ts";
import { type RoutedEnvironment, renderRouteTable } from "../../../src/product/routes/route-table.ts";
import { checkRouteTable } from "../../../src/proxy/table-check.ts";
import { product } from "../../support/product.ts";

async function rendered(more: Partial<RoutedEnvironment>, changes: Partial<EnvironmentSettings> = {}) {
  const { environments, settings } = await product();
  const created = await environments.create("blog", "me");
  const environment = { ...created, settings: { ...created.settings, ...changes } };
  const routed: RoutedEnvironment = {
    environment,
    status: "running",
    instances: [],
    health: null,
    domains: [],
    ...more,
  };
  return renderRouteTable([routed], { settings, probeToken: "token", ownCookies: ["diplo_session"] });
}

test("renderRouteTable gives an app its host name and its port", async () => {
  const { routes } = await rendered({
    instances: [{ id: "i", release: 3, weight: 100, host: "10.0.0.2", port: 80 }],
  });
  expect(routes).toHaveLength(1);
  expect(routes[0]).toMatchObject({ app: "blog", hosts: ["blog.local"], path: "/", process: "web" });
  expect(routes[0]?.targets).toEqual([
    { instance: "i", release: 3, host: "10.0.0.2", port: 80, weight: 100 },
  ]);
});

test("renderRouteTable holds requests for an app that starts, and answers at once for one that stands", async () => {
  expect((await rendered({ status: "starting" })).routes[0]?.hold.max_requests).toBeGreaterThan(0);
  expect((await rendered({ status: "stopped" })).routes[0]?.hold).toEqual({
    max_requests: 0,
    max_wait_ms: 0,
  });
});

test("renderRouteTable adds a route without a port for each domain", async () => {
  const { routes } = await rendered({ domains: [{ host: "example.org", path: "/api", strip_path: true }] });
  expect(routes.map(({ hosts, path, port }) => [hosts[0], path, port === null])).toEqual([
    ["blog.local", "/", false],
    ["example.org", "/api", true],
  ]);
  expect(new Set(routes.map(({ id }) => id)).size).toBe(2);
});

test("renderRouteTable of a sleeping app asks to be woken and holds for as long as that may take", async () => {
  const route = (await rendered({ status: "sleeping" })).routes[0];
  expect(route).toMatchObject({ wake: true, hold: { max_requests: 1000, max_wait_ms: 60_000 } });
  expect((await rendered({ status: "running" })).routes[0]?.wake).toBe(false);
});

test("renderRouteTable has the proxy ask as the release's health says, in words the proxy takes", async () => {
  const { health } = DEFAULT_SETTINGS;
  const asked = async (changes: Partial<typeof health>) => {
    const table = await rendered({ health: { ...health, ...changes } });
    return checkRouteTable({ ...table, generation: 1 }).routes[0]?.health;
  };
  expect(await asked({})).toEqual({ path: "/", interval_ms: 10_000, timeout_ms: 5000, unhealthy_after: 3 });
  expect((await asked({ path: "/gesund?tief=ä#x" }))?.path).toBe("/gesund?tief=%C3%A4");
  expect((await asked({ type: "tcp" }))?.path).toBeNull();
  expect(await asked({ type: "none" })).toBeUndefined();
});

test("renderRouteTable passes balance, sticky and the access log on", async () => {
  const standard = { balance: "round_robin", sticky: false, access_log: "off" };
  expect((await rendered({})).routes[0]).toMatchObject(standard);
  const table = { ...(await rendered({}, { access_log: "json" })), generation: 1 };
  expect(checkRouteTable(table).routes[0]?.access_log).toBe("json");
});
