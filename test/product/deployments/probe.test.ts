import { expect, test } from "bun:test";
import { probe } from "../../../src/product/deployments/probe.ts";
import { DEFAULT_SETTINGS } from "../../../src/product/environments/settings.ts";
import { freePort } from "../../support/free-ports.ts";

const health = { ...DEFAULT_SETTINGS.health, timeout_s: 1 };
const endpoint = (port: number) => ({ node: "local", host: "127.0.0.1", port });

test("probe takes any answer below 500 as healthy, redirects unfollowed", async () => {
  for (const [status, healthy] of [
    [200, true],
    [302, true],
    [404, true],
    [500, false],
    [503, false],
  ] as const) {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(null, { status, headers: { location: "/elsewhere" } }),
    });
    expect(await probe(endpoint(server.port as number), health, "app.local")).toMatchObject({
      healthy,
      status,
    });
  }
});

test("probe sends the app's own host name and asks the path that was set", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      new Response(null, {
        status:
          new URL(request.url).pathname === "/up" && request.headers.get("host") === "app.local" ? 200 : 500,
      }),
  });
  expect(
    (await probe(endpoint(server.port as number), { ...health, path: "/up" }, "app.local")).healthy,
  ).toBe(true);
});

test("probe tells refused from silent", async () => {
  const free = freePort();
  expect(await probe(endpoint(free), health, "x")).toMatchObject({
    healthy: false,
    kind: "refused",
  });
  using silent = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
  expect(await probe(endpoint(silent.port as number), health, "x")).toMatchObject({
    healthy: false,
    kind: "timeout",
  });
});

test("probe of type tcp needs a connection and no answer", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  expect((await probe(endpoint(server.port), { ...health, type: "tcp" }, "x")).healthy).toBe(true);
  server.stop(true);
  expect((await probe(endpoint(server.port), { ...health, type: "tcp" }, "x")).kind).toBe("refused");
});
