import { afterEach, describe, expect, test } from "bun:test";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Route } from "../../src/proxy/protocol.ts";
import { answering, eventually, exchange, OK, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";
import { writeSite } from "./site-fixture.ts";

const planes: TestPlane[] = [];
const backends: RawBackend[] = [];

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.stop();
  for (const backend of backends.splice(0)) backend.stop();
});

async function logging(route: Partial<Route> = {}, respond = answering(OK)): Promise<TestPlane> {
  const plane = await TestPlane.start({ limits: { accessLogFlushMs: 20 } });
  planes.push(plane);
  const backend = new RawBackend(respond);
  backends.push(backend);
  await plane.route([{ ...routeTo(backend.port), access_log: "json", ...route }]);
  return plane;
}

/** All lines there are, once there are that many. */
async function lines(plane: TestPlane, count: number, name = "blog.log"): Promise<string[]> {
  const read = async () =>
    (await readFile(join(plane.data, "proxy", "logs", name), "utf8").catch(() => ""))
      .split("\n")
      .slice(0, -1);
  await eventually(async () => (await read()).length >= count);
  return read();
}

const request = (path: string, fields: string[] = []) =>
  [`GET ${path} HTTP/1.1`, "Host: Blog.test:8080", ...fields, "Connection: close", "\r\n"].join("\r\n");

describe("an access log", () => {
  test("as JSON says who asked what, who answered, and how long it took", async () => {
    const plane = await logging();
    await exchange(plane.port, request("/a?b=c", ["User-Agent: curl/8", "Referer: http://x.test/"]));
    const [line] = await lines(plane, 1);
    const { time, request_id, duration_ms, first_byte_ms, ...rest } = JSON.parse(line!);
    expect(Date.now() - Date.parse(time)).toBeLessThan(5_000);
    expect(request_id).toMatch(/^[0-9a-f]{32}$/);
    expect(backends[0]!.received).toContain(`X-Request-ID: ${request_id}`);
    expect(first_byte_ms).toBeGreaterThan(0);
    expect(duration_ms).toBeGreaterThanOrEqual(first_byte_ms);
    expect(rest).toEqual({
      remote_address: "127.0.0.1",
      method: "GET",
      host: "blog.test:8080",
      path: "/a?b=c",
      status: 200,
      bytes_in: 0,
      bytes_out: 2,
      instance: "i0",
      release: 1,
      user_agent: "curl/8",
      referer: "http://x.test/",
      error: null,
      tls: null,
    });
  });

  test("as combined is what other programs read", async () => {
    const plane = await logging({ access_log: "combined" });
    await exchange(plane.port, request("/a?b=c", ["User-Agent: curl/8"]));
    const [line] = await lines(plane, 1);
    expect(line).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a\?b=c HTTP\/1\.1" 200 2 "-" "curl\/8"$/,
    );
  });

  test("off by default, and its file is for owner and group only", async () => {
    const plane = await logging({ access_log: "off" });
    await exchange(plane.port, request("/first"));
    await plane.route([{ ...routeTo(backends[0]!.port), access_log: "json" }]);
    await exchange(plane.port, request("/second"));
    const all = await lines(plane, 1);
    expect(all.map((line) => JSON.parse(line).path)).toEqual(["/second"]);
    expect((await stat(join(plane.data, "proxy", "logs", "blog.log"))).mode & 0o777).toBe(0o640);
  });

  test.each(["json", "combined"] as const)(
    "as %s cannot be forged by what a client sends",
    async (access_log) => {
      const plane = await logging({ access_log });
      const evil = '"}\t\\{"status":999}\xe2\x80\xa8\x85" \\x22 500';
      await exchange(plane.port, request('/"%0a', [`User-Agent: ${evil}`, `Referer: ${evil}`]));
      await exchange(plane.port, request("/last"));
      const all = await lines(plane, 2);
      expect(all).toHaveLength(2);
      expect(all.join("")).toMatch(/^[\x20-\x7e]*$/);
      if (access_log === "json") {
        const told = JSON.parse(all[0]!);
        expect([told.status, told.user_agent, told.path]).toEqual([200, evil, '/"%0a']);
      } else expect(all[0]!.match(/"[^"]*"/g)).toHaveLength(3);
    },
  );

  test("names the error of an answer that the proxy made, and 499 for a client that left", async () => {
    const plane = await logging({}, () => {});
    const client = await RawClient.connect(plane.port);
    client.send(request("/left"));
    await eventually(() => backends[0]!.received.includes("/left"));
    client.socket.terminate();
    const [gone] = await lines(plane, 1);
    expect(JSON.parse(gone!)).toMatchObject({
      path: "/left",
      status: 499,
      first_byte_ms: null,
      instance: "i0",
    });
    backends[0]!.stop();
    await plane.route([routeTo([], { access_log: "json", status: "stopped" })]);
    await exchange(plane.port, request("/stopped"));
    const [, stopped] = await lines(plane, 2);
    expect(JSON.parse(stopped!)).toMatchObject({
      status: 503,
      error: "unhealthy",
      instance: null,
      release: null,
    });
  });

  test("has the files of static releases and redirects too", async () => {
    const plane = await logging();
    await writeSite(join(plane.data, "proxy"), "rel-1", { "/index.html": "hello" });
    const site = { instance: "s1", release: 7, weight: 1, site: "rel-1" };
    await plane.route([{ ...routeTo([]), targets: [site], access_log: "json", environment: "staging" }]);
    await exchange(plane.port, request("/"));
    await exchange(plane.port, request("/no"));
    const all = (await lines(plane, 2, "blog@staging.log")).map((line) => JSON.parse(line));
    expect(all[0]).toMatchObject({ path: "/", status: 200, bytes_out: 5, instance: "s1", release: 7 });
    expect(all[1]).toMatchObject({ path: "/no", status: 404, error: "not_found" });
    const redirect = { to: "https://new.test/", code: 308 as const };
    await plane.route([{ ...routeTo([]), redirect, access_log: "json", environment: "staging" }]);
    await exchange(plane.port, request("/away"));
    expect(JSON.parse((await lines(plane, 3, "blog@staging.log"))[2]!)).toMatchObject({
      path: "/away",
      status: 308,
    });
  });

  test("believes a trusted proxy about the client and the request's name", async () => {
    const plane = await logging();
    const settings = { own_cookies: [], probe_token: "x".repeat(20), trusted_proxies: ["127.0.0.1"] };
    await plane.route([{ ...routeTo(backends[0]!.port), access_log: "json" }], { settings });
    await exchange(plane.port, request("/", ["X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X-Request-ID: abc"]));
    await exchange(plane.port, request("/", ['X-Forwarded-For: nobody"} x']));
    const all = (await lines(plane, 2)).map((line) => JSON.parse(line));
    expect(all[0]).toMatchObject({ remote_address: "1.2.3.4", request_id: "abc" });
    expect(all[1]).toMatchObject({ remote_address: "127.0.0.1" });
  });

  test("is one for all workers, which serve static releases as one process does", async () => {
    const command = [process.execPath, join(import.meta.dir, "worker-entry.ts")];
    const plane = await TestPlane.start({
      limits: { accessLogFlushMs: 20 },
      workers: { count: 2, command },
    });
    planes.push(plane);
    await writeSite(join(plane.data, "proxy"), "rel-1", { "/index.html": "hello" });
    const targets = [{ instance: "s1", release: 1, weight: 1, site: "rel-1" }];
    await plane.route([{ ...routeTo([]), targets, access_log: "json" }]);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => exchange(plane.port, request(`/?${i}`))),
    );
    expect(answers.every((answer) => answer.endsWith("hello"))).toBe(true);
    const paths = (await lines(plane, 40)).map((line) => JSON.parse(line).path);
    expect(paths.toSorted()).toEqual(Array.from({ length: 40 }, (_, i) => `/?${i}`).toSorted());
  });
});
