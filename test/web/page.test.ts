import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CONTENT_SECURITY_POLICY } from "../../src/web/page.ts";
import { full, part, startWebBox, type WebBox } from "./web-box.ts";

let web: WebBox;
beforeAll(async () => {
  web = await startWebBox();
});
afterAll(() => web[Symbol.asyncDispose]());

describe("a page", () => {
  test("is a whole document, under the policy, kept by nobody", async () => {
    const answer = await web.get("/");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toBe(CONTENT_SECURITY_POLICY);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const html = await answer.text();
    expect(html).toStartWith("<!doctype html><html");
    expect(html).toContain('<a class="name" href="/apps/blog">blog</a>');
    expect(html).not.toMatch(/<script(?! src=)|<style|\sstyle=|\son\w+=/);
  });

  test("is only its part for whoever asks for a part, whole for HX-Location and Back", async () => {
    expect(await (await web.get("/", part)).text()).toStartWith('<div id="page"');
    expect(await (await web.get("/", full)).text()).toStartWith("<!doctype html>");
    expect(await (await web.get("/", { "hx-history-restore-request": "true" })).text()).toStartWith(
      "<!doctype html>",
    );
  });

  test("leads to the sign-in when nobody is signed in", async () => {
    const answer = await web.get("/", { cookie: "" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login"]);
    const fragment = await web.get("/", { cookie: "", ...part });
    expect([fragment.status, fragment.headers.get("hx-redirect")]).toEqual([401, "/login"]);
  });

  test("of an unknown app is a 404 that says so; its part goes to the toast", async () => {
    const answer = await web.get("/apps/nobody");
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("There is nothing here");
    const fragment = await web.get("/apps/nobody", part);
    expect([fragment.status, fragment.headers.get("hx-retarget")]).toEqual([404, "#toast"]);
    expect(await fragment.text()).toStartWith("<p>");
  });

  test("refuses a form from another origin with a page, and does nothing", async () => {
    const answer = await web.post(
      "/apps/blog/destroy",
      { confirm: "blog" },
      { origin: "http://127.0.0.1:1", accept: "text/html" },
    );
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("This is not allowed");
    expect(web.asked.filter(({ what }) => what === "destroy")).toEqual([]);
  });

  test("exists for every address that a person can look at", async () => {
    const paths = [
      "/apps/new",
      "/apps/blog",
      "/apps/blog/deployments",
      "/apps/blog/config",
      "/apps/blog/config/raw",
    ];
    for (const path of [
      ...paths,
      "/apps/blog/settings",
      "/jobs",
      "/jobs?show=all",
      "/box/tokens",
      "/box/registries",
      "/apps/new/image",
      "/search?q=blog",
      "/login",
      "/setup",
    ]) {
      const answer = await web.get(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(await answer.text()).toContain('<div id="page"');
    }
  });
});

describe("static files", () => {
  const script = async () =>
    /src="(\/assets\/diplo\.[0-9a-f]{12}\.js)"/.exec(await (await web.get("/")).text())?.[1] as string;

  test("are addressed by their content and kept for ever, without a sign-in", async () => {
    const answer = await fetch(web.box.url + (await script()));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toContain("immutable");
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(await answer.text()).toContain("htmx");
  });

  test("come in brotli, gzip or plain, whatever the browser takes", async () => {
    const path = web.box.url + (await script());
    for (const encoding of ["br", "gzip", null]) {
      const answer = await fetch(path, { headers: { "accept-encoding": encoding ?? "identity" } });
      expect(answer.headers.get("content-encoding")).toBe(encoding);
      expect((await answer.text()).length).toBeGreaterThan(40_000);
    }
  });

  test("of another version are 404, not the newest", async () => {
    expect((await fetch(`${web.box.url}/assets/diplo.000000000000.js`)).status).toBe(404);
    expect((await fetch(`${web.box.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
  });
});
