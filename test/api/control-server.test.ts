import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { Type as t } from "@sinclair/typebox";
import { DiploError } from "../../src/errors.ts";
import { operation, Reply } from "../../src/operation.ts";
import { type ControlBox, startControlBox } from "./control-box.ts";

const Echo = t.Object({
  name: t.String({ minLength: 2 }),
  count: t.Optional(t.Integer({ maximum: 9 })),
  wait: t.Optional(t.Boolean()),
});

const echo = operation({
  verb: "echo",
  method: "POST",
  path: "/echo",
  summary: "",
  input: Echo,
  output: t.Any(),
  permission: "deploy",
  run: ({ input }) => new Reply(201, input, { location: "/api/v1/echo/1" }),
});

const get = operation({
  verb: "echo:get",
  method: "GET",
  path: "/echo/:name",
  summary: "",
  input: Echo,
  output: t.Any(),
  permission: "apps:read",
  run: ({ input }) => input,
});

const vars = operation({
  verb: "echo:vars",
  method: "PATCH",
  path: "/echo/:name/vars",
  summary: "",
  input: t.Object({ name: t.String(), vars: t.Record(t.String(), t.String()) }),
  bodyAs: "vars",
  output: t.Any(),
  permission: "env:write",
  run: ({ input }) => input,
});

const nothing = operation({
  verb: "echo:nothing",
  method: "DELETE",
  path: "/echo/:name",
  summary: "",
  input: t.Object({ name: t.String(), confirm: t.Optional(t.String()) }),
  output: t.Any(),
  permission: "apps:write",
  run: () => new Reply(204, null),
});

const fails = operation({
  verb: "fails",
  method: "POST",
  path: "/fails/:how",
  summary: "",
  input: t.Object({ how: t.String() }),
  output: t.Any(),
  permission: "deploy",
  run: ({ input }) => {
    if (input.how === "explained")
      throw new DiploError("exit_nonzero", "terse words for the log", {
        detail: "The app ended at once.",
        hint: "Look at its log.",
        evidence: ["Error: cannot find module"],
        facts: { deployment_id: "01D", code: "overwritten" },
      });
    if (input.how === "full")
      throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    throw new Error("hunter2 at /secret/path");
  },
});

let box: ControlBox;
let token: string;
beforeAll(async () => {
  box = await startControlBox({ operations: [echo, get, vars, nothing, fails] });
  token = box.token();
});
afterAll(() => box[Symbol.asyncDispose]());

interface Ask extends RequestInit {
  headers?: Record<string, string>;
}
const ask = (path: string, { headers, ...init }: Ask = {}) =>
  fetch(`${box.url}${path}`, {
    redirect: "manual",
    ...init,
    headers: {
      authorization: `Bearer ${token}`,
      ...(init.body != null && { "content-type": "application/json" }),
      ...headers,
    },
  });
const post = (path: string, body: unknown, init: Ask = {}) =>
  ask(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), ...init });

test("an operation answers with its Reply's status and headers", async () => {
  const response = await post("/api/v1/echo", { name: "blog", count: 3 });
  expect(response.status).toBe(201);
  expect(response.headers.get("location")).toBe("/api/v1/echo/1");
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("x-request-id")).toMatch(/^[0-9A-Z]{26}$/);
  expect(await response.json()).toEqual({ name: "blog", count: 3 });
});

test("an operation takes fields from path and query, and the path has the last word", async () => {
  expect(await (await ask("/api/v1/echo/caf%C3%A9%2Fx?count=4&wait=0&name=other")).json()).toEqual({
    name: "café/x",
    count: 4,
    wait: false,
  });
  expect(await (await post("/api/v1/echo?wait=0", { name: "blog" })).json()).toEqual({
    name: "blog",
    wait: false,
  });
});

test("an operation with bodyAs takes the whole body as one field", async () => {
  const response = await ask("/api/v1/echo/blog/vars", {
    method: "PATCH",
    body: '{"name":"pa$$","__proto__":"x"}',
  });
  expect(await response.text()).toBe('{"vars":{"name":"pa$$","__proto__":"x"},"name":"blog"}');
});

test("an operation may answer 204 without a body", async () => {
  const response = await ask("/api/v1/echo/blog?confirm=blog", { method: "DELETE" });
  expect([response.status, await response.text()]).toEqual([204, ""]);
});

test("wrong input is a problem that names each field and repeats no value", async () => {
  const response = await post("/api/v1/echo", { name: "x", count: "hunter2", secret: "hunter3" });
  expect(response.status).toBe(422);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const text = await response.text();
  expect(JSON.parse(text)).toEqual({
    type: "about:blank",
    title: "Unprocessable Content",
    status: 422,
    code: "invalid",
    detail: expect.stringContaining("count must be a whole number up to 9"),
    errors: [
      { field: "secret", message: "is not known here; known are name, count, wait" },
      { field: "name", message: "must be text of at least 2 characters" },
      { field: "count", message: "must be a whole number up to 9" },
    ],
    request_id: response.headers.get("x-request-id") as string,
  });
  expect(text).not.toContain("hunter");
});

test("an explained failure tells its code, evidence, hint and facts, and a fact overwrites nothing", async () => {
  const response = await post("/api/v1/fails/explained", {});
  expect(await response.json()).toEqual({
    deployment_id: "01D",
    type: "about:blank",
    title: "Unprocessable Content",
    status: 422,
    code: "exit_nonzero",
    detail: "The app ended at once.",
    hint: "Look at its log.",
    evidence: ["Error: cannot find module"],
    request_id: response.headers.get("x-request-id") as string,
  });
});

test("an unexpected fault tells nothing of itself but an id that is in the log", async () => {
  const response = await post("/api/v1/fails/foreign", {});
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ code: "internal", detail: "Something went wrong inside Diplo." });
  expect(text).not.toMatch(/hunter2|secret|stack|\.ts/);
  expect(box.logged.join("")).toContain(response.headers.get("x-request-id") as string);
});

test("a full disk is told as what it is", async () => {
  const response = await post("/api/v1/fails/full", {});
  expect([response.status, (await response.json()).code]).toEqual([507, "disk_full"]);
});

test.each([
  ["no JSON", "{nope hunter2", {}, 400, "not_json"],
  ["a list", "[]", {}, 422, "invalid"],
  ["a number", "7", {}, 422, "invalid"],
  [
    "another content type",
    "name=blog",
    { "content-type": "application/x-www-form-urlencoded" },
    415,
    "not_json",
  ],
  ["more than 1 MB", JSON.stringify({ name: "x".repeat(1024 * 1024) }), {}, 413, "body_too_large"],
])("a body of %s is refused", async (_what, body, headers, status, code) => {
  const response = await post("/api/v1/echo", body, { headers });
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([status, code]);
  expect(text).not.toContain("hunter2");
});

test("a body over the limit is refused too when its length is not announced", async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(32)),
  });
  const response = await ask("/api/v1/echo", {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(413);
});

test("an unknown address is 404, a known one with another method 405 with Allow", async () => {
  const missing = await ask("/api/v1/nowhere");
  expect([missing.status, (await missing.json()).code]).toEqual([404, "not_found"]);
  const wrong = await ask("/api/v1/echo/blog", { method: "PUT" });
  expect([wrong.status, (await wrong.json()).code]).toEqual([405, "method_not_allowed"]);
  expect(wrong.headers.get("allow")).toBe("GET, HEAD, DELETE");
  expect(wrong.headers.get("x-request-id")).not.toBeNull();
});

test("a misspelt percent-encoding is the asker's fault", async () => {
  expect((await ask("/api/v1/echo/%zz")).status).toBe(400);
});

test("a host name shorter than four characters finds the same routes", async () => {
  await using pi = await startControlBox({ operations: [get], hostNames: ["pi"] });
  const headers = { host: "pi", authorization: `Bearer ${pi.token()}` };
  const response = await fetch(`${pi.url}/api/v1/echo/blog?count=2`, { headers });
  expect(await response.json()).toEqual({ name: "blog", count: 2 });
  expect((await fetch(`${pi.url}/api/v1/echo/blog`, { headers: { host: "pi" } })).status).toBe(401);
});

test.each([
  [() => "127.0.0.1:8080", 200],
  [() => "[::1]:8080", 200],
  [() => "192.168.1.9", 200],
  [() => "localhost:8080", 200],
  [() => hostname(), 200],
  [() => `${hostname().split(".")[0]}.local:8080`, 200],
  [() => "diplo.local", 200],
  [() => "LOCALHOST.", 200],
  [() => "evil.example", 421],
  [() => "blog.local", 421],
  [() => "127.0.0.1.evil.example", 421],
  [() => "evil.example:80@127.0.0.1", 421],
  [() => "", 421],
])("the Host header %p decides before anything else", async (host, status) => {
  const response = await ask("/api/v1/echo/blog", { headers: { host: host() } });
  expect(response.status).toBe(status);
  if (status === 421) expect((await response.json()).code).toBe("unknown_host");
});

test("control.sock is the owner's: no credential, mode 0660, and it is gone after the stop", async () => {
  const own = await startControlBox({ operations: [get] });
  expect(statSync(own.socket).mode & 0o777).toBe(0o660);
  const response = await fetch("http://anything/api/v1/echo/blog", { unix: own.socket });
  expect(await response.json()).toEqual({ name: "blog" });
  await own[Symbol.asyncDispose]();
  expect(existsSync(own.socket)).toBe(false);
});

test("ControlServer.start removes the socket that a killed daemon left", async () => {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `Bun.serve({ unix: ${JSON.stringify(`${box.socket}.stale`)}, fetch: () => new Response() }); console.log("up")`,
    ],
    { stdout: "pipe" },
  );
  await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  expect(existsSync(`${box.socket}.stale`)).toBe(true);
  const { listenUnix } = await import("../../src/api/listen.ts");
  const server = listenUnix(`${box.socket}.stale`, async () => new Response("ours"), { message() {} });
  expect(await (await fetch("http://x/", { unix: `${box.socket}.stale` })).text()).toBe("ours");
  await server.stop(true);
});

test("ControlServer.start refuses a taken port in one clear line", async () => {
  const taken = startControlBox({ flags: { control: `127.0.0.1:${box.server.port}` }, operations: [] });
  await expect(taken).rejects.toMatchObject({
    code: "port_taken",
    message: `127.0.0.1:${box.server.port} is taken by another program`,
  });
});

test("ControlServer refuses two routes for one address", async () => {
  await expect(
    startControlBox({ operations: [get, { ...get, path: "/echo/:other" }] }),
  ).rejects.toMatchObject({
    code: "duplicate_route",
  });
});

test("healthz is public and tells the version", async () => {
  for (const path of ["/healthz", "/api/v1/healthz"])
    expect(await (await fetch(`${box.url}${path}`)).json()).toEqual({
      status: "ok",
      version: expect.any(String),
    });
});

test("a request may wait for its answer longer than a silent connection lives, on either door", async () => {
  const slow = { ...nothing, run: () => Bun.sleep(10_500).then(() => ({ ok: true })) };
  await using own = await startControlBox({ operations: [slow] });
  const [tcp, unix] = await Promise.all([
    fetch(`${own.url}/api/v1/echo/blog`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${own.token()}` },
    }),
    fetch("http://box/api/v1/echo/blog", { method: "DELETE", unix: own.socket }),
  ]);
  expect([await tcp.json(), await unix.json()]).toEqual([{ ok: true }, { ok: true }]);
}, 20_000);
