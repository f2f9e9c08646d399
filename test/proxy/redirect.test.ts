import { afterEach, describe, expect, test } from "bun:test";
import type { Route } from "../../src/proxy/protocol.ts";
import { answering, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function plane(): Promise<TestPlane> {
  const started = await TestPlane.start();
  stops.push(() => started.stop());
  return started;
}

function backend(): RawBackend {
  const started = new RawBackend(answering(OK));
  stops.push(() => started.stop());
  return started;
}

const ask = (port: number, target: string, { method = "GET", host = "old.test" } = {}) =>
  exchange(port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
const pathsAt = (app: RawBackend) => [...app.received.matchAll(/^GET ([^ ]*)/gm)].map((match) => match[1]);
const locationOf = (answer: string) => /\r\nLocation: ([^\r]*)/.exec(answer)?.[1];
const moved = (
  to: string,
  code: 301 | 302 | 303 | 307 | 308 = 308,
  more: Partial<Omit<Route, "targets">> = {},
) => routeTo([], { id: "moved", hosts: ["old.test"], redirect: { to, code }, ...more });

describe("a redirect", () => {
  test("with a slash at its end takes path and query along, without one it is the whole address", async () => {
    const proxy = await plane();
    await proxy.route([moved("https://new.test/")]);
    expect(locationOf(await ask(proxy.port, "/a/b?x=1&y=%20"))).toBe("https://new.test/a/b?x=1&y=%20");
    expect(locationOf(await ask(proxy.port, "/"))).toBe("https://new.test/");
    expect(locationOf(await ask(proxy.port, "//evil.test/%2e%2e/x"))).toBe("https://new.test//x");
    expect(locationOf(await ask(proxy.port, "*", { method: "OPTIONS" }))).toBe("https://new.test/");
    await proxy.route([moved("https://new.test/landing")]);
    expect(locationOf(await ask(proxy.port, "/a/b?x=1"))).toBe("https://new.test/landing");
  });

  test("of a prefix takes what is left of the path", async () => {
    const proxy = await plane();
    await proxy.route([moved("https://new.test/docs/", 302, { path: "/old", strip_path: true })]);
    expect(locationOf(await ask(proxy.port, "/old/a?b"))).toBe("https://new.test/docs/a?b");
    expect(locationOf(await ask(proxy.port, "/old"))).toBe("https://new.test/docs/");
  });

  for (const code of [301, 302, 303, 307, 308] as const)
    test(`answers ${code}, HEAD without a body, and the connection goes on`, async () => {
      const proxy = await plane();
      await proxy.route([moved("https://new.test/", code)]);
      const client = await RawClient.connect(proxy.port);
      client.send("HEAD /x HTTP/1.1\r\nHost: old.test\r\n\r\n");
      expect(await client.until("\r\n\r\n")).toStartWith(`HTTP/1.1 ${code} `);
      expect(client.received).toEndWith("\r\n\r\n");
      client.send("GET /y HTTP/1.1\r\nHost: old.test\r\nConnection: close\r\n\r\n");
      expect(await client.untilEnd()).toContain("Location: https://new.test/y\r\n");
    });

  test("of a request with a body answers and closes, so that the body is not read as a request", async () => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([moved("https://new.test/"), routeTo(app.port)]);
    const answer = await exchange(
      proxy.port,
      "POST /x HTTP/1.1\r\nHost: old.test\r\nContent-Length: 41\r\n\r\nGET / HTTP/1.1\r\nHost: blog.test\r\n\r\n     ",
    );
    expect(answer.match(/HTTP\/1\.1/g)?.length).toBe(1);
    expect(app.received).toBe("");
  });

  test("to a malformed address or with another code is refused", async () => {
    const proxy = await plane();
    for (const redirect of [
      { to: "https://new.test/\r\nSet-Cookie: x", code: 308 },
      { to: "javascript:alert(1)", code: 308 },
      { to: "https://new.test/?q", code: 308 },
      { to: "https://new.test/", code: 200 },
    ]) {
      const { status, body } = await proxy.put(
        "/routes",
        proxy.table([moved("https://x/") as Route].map((route) => ({ ...route, redirect }) as Route)),
      );
      expect(status).toBe(422);
      expect(JSON.stringify(body)).toContain("routes[0].redirect");
    }
  });
});

describe("a path prefix", () => {
  const seen = (app: RawBackend) => pathsAt(app).at(-1);

  test("matches whole segments only, the longest one wins, and stripping the prefix itself leaves a slash", async () => {
    const proxy = await plane();
    const [root, api, deep] = [backend(), backend(), backend()];
    const at = (id: string, path: string, app: RawBackend) =>
      routeTo(app.port, { id, hosts: ["old.test"], path, strip_path: path !== "/" });
    await proxy.route([at("r", "/", root), at("a", "/api", api), at("d", "/api/v1", deep)]);
    const cases: [string, RawBackend, string][] = [
      ["/api", api, "/"],
      ["/api/", api, "/"],
      ["/api?x=1", api, "/?x=1"],
      ["/api//x", api, "//x"],
      ["/api/x", api, "/x"],
      ["/apix", root, "/apix"],
      ["/api.json", root, "/api.json"],
      ["/API", root, "/API"],
      ["/api/v1", deep, "/"],
      ["/api/v1/x", deep, "/x"],
      ["/api/v10", api, "/v10"],
      ["/api/../api/v1/y", deep, "/y"],
      ["/api/v1/..", api, "/"],
      ["/x/api", root, "/x/api"],
    ];
    for (const [target, app, path] of cases) {
      await ask(proxy.port, target);
      expect([target, seen(app)]).toEqual([target, path]);
    }
  });

  test("is kept when it is not to be stripped", async () => {
    const proxy = await plane();
    const app = backend();
    await proxy.route([routeTo(app.port, { hosts: ["old.test"], path: "/api" })]);
    await ask(proxy.port, "/api/x");
    expect(seen(app)).toBe("/api/x");
    expect(await ask(proxy.port, "/apix")).toContain("X-Diplo-Error: unknown_host");
  });
});

test("a wildcard covers one label, and an exact name goes before it", async () => {
  const proxy = await plane();
  const [wild, exact] = [backend(), backend()];
  await proxy.route([
    routeTo(wild.port, { id: "w", hosts: ["*.old.test"] }),
    routeTo(exact.port, { id: "e", hosts: ["shop.old.test"], path: "/api" }),
  ]);
  const statusAt = async (host: string, path = "/") => (await ask(proxy.port, path, { host })).slice(9, 12);
  expect(await statusAt("a.old.test")).toBe("200");
  expect(await statusAt("A.Old.Test.")).toBe("200");
  expect(await statusAt("a.b.old.test")).toBe("404");
  expect(await statusAt("old.test")).toBe("404");
  expect(await statusAt("shop.old.test", "/api/x")).toBe("200");
  expect(pathsAt(exact)).toEqual(["/api/x"]);
  // The exact name has no route for this path; the wildcard's does.
  expect(await statusAt("shop.old.test", "/other")).toBe("200");
  expect(pathsAt(wild)).toEqual(["/", "/", "/other"]);
});
