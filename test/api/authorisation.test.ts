import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { Type as t } from "@sinclair/typebox";
import { PeerGate } from "../../src/api/peer-gate.ts";
import type { Actor, Operation } from "../../src/operation.ts";
import { operations } from "../../src/product/operations.ts";
import type { HandRoute } from "../../src/route.ts";
import { webRoutes } from "../../src/web/web-routes.ts";
import { type ControlBox, startControlBox } from "./control-box.ts";

let ran: { path: string; actor: Actor | null }[] = [];

/** The real table, with nothing behind it: what matters here is who gets through to `run`. */
const table = operations.map((operation) => ({
  ...operation,
  input: t.Object(
    Object.fromEntries(Object.keys(operation.input.properties).map((name) => [name, t.Optional(t.Any())])),
  ),
  run: ({ actor }: { actor: Actor }) => {
    ran.push({ path: operation.path, actor });
    return {};
  },
})) as unknown as Operation[];

const page: HandRoute = {
  method: "GET",
  path: "/apps/:app",
  permission: "apps:read",
  reason: "a page",
  page: true,
  handle: ({ params, actor }) => {
    ran.push({ path: "/apps/:app", actor });
    return new Response(params.app);
  },
};

let box: ControlBox;
beforeAll(async () => {
  box = await startControlBox({ operations: table, handRoutes: [page] });
});
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  ran = [];
});

const filled = (path: string) => path.replace(/:\w+/g, "x");
const host = () => box.url.slice("http://".length);
const request = (route: { method: string; path: string }, headers: Record<string, string> = {}) =>
  fetch(`${box.url}${filled(route.path)}`, { method: route.method, headers, redirect: "manual" });
const PUBLIC = [
  "GET /healthz",
  "GET /api/v1/healthz",
  "GET /api/v1/openapi.json",
  "POST /logout",
  "POST /setup/redeem",
];

test("every route of the running server has an authorisation row, and the public ones are these", () => {
  const { routes } = box.server;
  expect(routes.length).toBeGreaterThan(operations.length);
  for (const route of routes) {
    expect(route.permission).toMatch(/^(public|deploy|run|[a-z]+:(read|write|owner))$/);
    expect(route.reason).not.toBe("");
  }
  const open = routes
    .filter(({ permission }) => permission === "public")
    .map(({ method, path }) => `${method} ${path}`);
  expect(open.sort()).toEqual(PUBLIC.sort());
  const unsafe = table.filter(({ method, audit, private: hidden }) => method !== "GET" && !audit && !hidden);
  expect(unsafe.map(({ verb }) => verb)).toEqual([]);
});

test("the whole server, dashboard included: nothing but these answers a stranger", async () => {
  await using whole = await startControlBox({ operations: table, handRoutes: webRoutes });
  const open =
    /^(GET (\/api\/v1)?\/healthz|GET \/api\/v1\/openapi\.json|GET \/(setup|login|favicon\.ico)|GET \/assets\/.*|POST \/(login|logout|setup\/redeem))$/;
  for (const route of whole.server.routes) {
    const name = `${route.method} ${route.path}`;
    expect([name, route.permission === "public"]).toEqual([name, open.test(name)]);
    if (route.permission === "public") continue;
    const response = await fetch(`${whole.url}${filled(route.path)}`, {
      method: route.method,
      redirect: "manual",
    });
    expect([name, response.status, response.headers.get("location")]).toEqual(
      route.page ? [name, 303, "/login"] : [name, 401, null],
    );
  }
  expect(ran).toEqual([]);
});

test("every route is denied without a sign-in, with a wrong token and with a wrong session, before its body is read", async () => {
  const closed = box.server.routes.filter(({ permission }) => permission !== "public");
  const wrong: Record<string, string>[] = [
    {},
    { authorization: `Bearer dpl_${"a".repeat(43)}`, "x-forwarded-for": "127.0.0.1" },
    { authorization: "Basic b3duZXI6" },
    { cookie: "diplo_session=nonsense" },
  ];
  for (const route of closed)
    for (const headers of wrong) {
      const response = await request(route, headers);
      const statuses = [
        route.page ? 303 : 401,
        ...(headers.authorization?.startsWith("Bearer") ? [429] : []),
      ];
      expect([route.path, response.status, statuses.includes(response.status)]).toEqual([
        route.path,
        response.status,
        true,
      ]);
      expect(await response.text()).not.toContain("stack");
    }
  expect(ran).toEqual([]);
});

test("a refused request's body is not waited for", async () => {
  const socket = createConnection(box.server.port, "127.0.0.1");
  const answered = new Promise<string>((resolve) =>
    socket.once("data", (bytes) => resolve(bytes.toString())),
  );
  socket.write(`POST /api/v1/deploy HTTP/1.1\r\nHost: ${host()}\r\nContent-Length: 100000\r\n\r\n{`);
  expect(await answered).toStartWith("HTTP/1.1 401");
  socket.destroy();
});

test("a page without a sign-in leads there; a fragment is told to", async () => {
  const whole = await request(page);
  expect([whole.status, whole.headers.get("location")]).toEqual([303, "/login"]);
  const fragment = await request(page, { "hx-request": "true" });
  expect([fragment.status, fragment.headers.get("hx-redirect")]).toEqual([401, "/login"]);
});

test("a 401 of the API says how to sign in", async () => {
  const response = await request({ method: "GET", path: "/api/v1/apps" });
  expect(response.headers.get("www-authenticate")).toBe("Bearer");
  expect(await response.json()).toMatchObject({ code: "unauthenticated", detail: "You are not signed in." });
});

test("each operation lets in a token with its permission and refuses one with every other", async () => {
  const every = [...new Set(table.map(({ permission }) => permission))].filter(
    (name) => name !== "box:owner",
  );
  for (const operation of table) {
    const route = { method: operation.method, path: `/api/v1${operation.path}` };
    const others = every.filter((name) => name !== operation.permission);
    const refused = await request(route, { authorization: `Bearer ${box.token(others)}` });
    expect([operation.verb, refused.status, ran.length]).toEqual([operation.verb, 403, 0]);
    expect(await refused.json()).toMatchObject({ code: "forbidden" });
    if (operation.permission === "box:owner") continue;
    const allowed = await request(route, { authorization: `Bearer ${box.token([operation.permission])}` });
    expect([operation.verb, allowed.status]).toEqual([operation.verb, 200]);
    expect(ran.pop()?.path).toBe(operation.path);
  }
});

test("a login link is made on the box only: by neither session nor token", async () => {
  const route = { method: "POST", path: "/api/v1/login-links" };
  const headers = { cookie: box.cookie(), "sec-fetch-site": "same-origin" };
  expect((await request(route, headers)).status).toBe(403);
  expect((await request(route, { authorization: `Bearer ${box.token()}` })).status).toBe(403);
  expect((await fetch(`http://x${route.path}`, { method: "POST", unix: box.socket })).status).toBe(200);
  expect(ran.map(({ actor }) => actor?.via)).toEqual(["socket"]);
});

test.each<[string, number, () => Record<string, string>]>([
  ["the browser says same-origin", 200, () => ({ "sec-fetch-site": "same-origin" })],
  [
    "the browser says same-site: another port of this box",
    403,
    () => ({ "sec-fetch-site": "same-site", origin: box.url }),
  ],
  ["the browser says cross-site", 403, () => ({ "sec-fetch-site": "cross-site" })],
  ["the browser says none", 403, () => ({ "sec-fetch-site": "none" })],
  ["plain http: the exact origin", 200, () => ({ origin: box.url })],
  ["plain http: another port", 403, () => ({ origin: "http://127.0.0.1:3000" })],
  ["plain http: a longer port", 403, () => ({ origin: `${box.url}0` })],
  ["plain http: another name", 403, () => ({ origin: "http://evil.example" })],
  ["plain http: an opaque origin", 403, () => ({ origin: "null" })],
  ["plain http: no origin", 403, () => ({})],
])("an unsafe request with the cookie when %s: %i", async (_what, status, headers) => {
  const response = await request(
    { method: "POST", path: "/api/v1/apps" },
    { cookie: box.cookie(), ...headers() },
  );
  expect(response.status).toBe(status);
  if (status === 403) expect((await response.json()).code).toBe("cross_site");
  expect(ran).toHaveLength(status === 200 ? 1 : 0);
});

test("a token needs no origin, and a cookie beside a wrong token does not help", async () => {
  const route = { method: "POST", path: "/api/v1/apps" };
  const cross = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
  expect((await request(route, { ...cross, authorization: `Bearer ${box.token()}` })).status).toBe(200);
  const wrong = { authorization: "Bearer dpl_wrong", cookie: box.cookie(), "sec-fetch-site": "same-origin" };
  expect((await request(route, wrong)).status).toBeOneOf([401, 429]);
});

test("a page of another origin cannot sign somebody in or out", async () => {
  for (const path of ["/setup/redeem", "/logout"])
    expect((await request({ method: "POST", path }, { origin: "http://127.0.0.1:3000" })).status).toBe(403);
});

test("sign-in: the link's token becomes a cookie once, the sign-out ends it", async () => {
  await using own = await startControlBox({ operations: table, handRoutes: [page] });
  const secret = own.parts.access.createLoginLink([own.url]).url.split("#")[1] as string;
  const redeem = () =>
    fetch(`${own.url}/setup/redeem`, {
      method: "POST",
      body: JSON.stringify({ token: secret }),
      headers: { "content-type": "application/json", origin: own.url },
    });
  const response = await redeem();
  expect(response.status).toBe(204);
  const setCookie = response.headers.get("set-cookie") as string;
  expect(setCookie).toMatch(/^diplo_session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/);
  const cookie = setCookie.split(";")[0] as string;
  expect((await fetch(`${own.url}/apps/x`, { headers: { cookie }, redirect: "manual" })).status).toBe(200);
  expect(await (await redeem()).json()).toMatchObject({ status: 401, code: "login_link_invalid" });
  const out = await fetch(`${own.url}/logout`, { method: "POST", headers: { cookie, origin: own.url } });
  expect([out.status, out.headers.get("set-cookie")]).toEqual([
    204,
    expect.stringMatching(/^diplo_session=; Max-Age=0/),
  ]);
  expect((await fetch(`${own.url}/apps/x`, { headers: { cookie }, redirect: "manual" })).status).toBe(303);
});

test("a token has 600 requests a minute", async () => {
  const headers = { authorization: `Bearer ${box.token()}` };
  const route = { method: "GET", path: "/api/v1/apps" };
  let last = await request(route, headers);
  for (let asked = 1; asked < 601; asked++) last = await request(route, headers);
  expect(last.status).toBe(429);
  expect(Number(last.headers.get("retry-after"))).toBeWithin(1, 61);
  expect((await request(route, { authorization: `Bearer ${box.token()}` })).status).toBe(200);
});

test("peers in an engine's subnet are refused, whatever they carry", async () => {
  let subnets: string[] = [];
  await using own = await startControlBox({ operations: table, engineSubnets: () => subnets });
  const headers = { authorization: `Bearer ${own.token()}` };
  expect((await fetch(`${own.url}/api/v1/apps`, { headers })).status).toBe(200);
  subnets = ["127.0.0.0/8"];
  const refused = await fetch(`${own.url}/api/v1/apps`, { headers });
  expect([refused.status, (await refused.json()).code]).toEqual([403, "container_refused"]);
  expect((await fetch(`${own.url}/healthz`)).status).toBe(403);
  expect((await fetch("http://x/healthz", { unix: own.socket })).status).toBe(200);
});

test.each<[string, string | null, string | null]>([
  ["127.0.0.1", null, null],
  ["192.168.1.20", null, null],
  ["172.31.0.1", null, null],
  ["10.1.2.3", null, null],
  ["fe80::1%eth0", null, null],
  ["fd00::5", null, null],
  ["::1", null, null],
  ["10.213.4.2", "container_refused", "container_refused"],
  ["172.17.0.3", "container_refused", "container_refused"],
  ["fd77::2", "container_refused", "container_refused"],
  ["100.64.0.1", "peer_refused", null],
  ["172.32.0.1", "peer_refused", null],
  ["8.8.8.8", "peer_refused", null],
  ["2001:db8::1", "peer_refused", null],
])("PeerGate.admit(%s): %s, and with --control-public %s", (ip, closed, open) => {
  const engineSubnets = () => ["10.213.0.0/16", "172.17.0.0/16", "fd77::/64"];
  for (const [publicToo, expected] of [
    [false, closed],
    [true, open],
  ] as const) {
    const gate = new PeerGate({ publicToo, engineSubnets });
    if (expected === null) gate.admit(ip);
    else expect(() => gate.admit(ip)).toThrow(expect.objectContaining({ code: expected }));
  }
});
