import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { SteadyClient } from "../support/steady-client.ts";

interface InstanceBody {
  id: string;
  process: string;
  status: string;
  served_by: string;
  address: string | null;
}

const TEXT = "Hello from a file. ".repeat(200);
const SITE = {
  "index.html": `<h1>one</h1>${TEXT}`,
  "about/index.html": "about",
  "404.html": "not here",
  "app.js": `console.log(1);\n${"// words\n".repeat(100)}`,
  ".env": "SECRET=1",
  _headers: "/*\n  X-Site: yes\n/about/*\n  Cache-Control: public, max-age=60\nbroken line\n",
  _redirects: "/old/* /about/ 302\n/gone /404.html 404\nnonsense\n",
};

let box: Box;
let git: GitServer;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

const sites = () => readdir(join(box.data, "proxy/sites")).then((names) => names.sort());
const instances = async (app: string) =>
  (await box.api<InstanceBody[]>("GET", `/apps/${app}/instances`)).body;
const containers = async () => {
  const runtime = await box.runtime();
  try {
    return (await runtime.list()).map(({ name }) => name);
  } finally {
    await runtime.close();
  }
};
const text = async (port: number, path = "/", init: RequestInit = {}) =>
  (await box.app(port, path, init)).text();

describe("a plain site", () => {
  let port: number;
  let first: { deployment_id: string };

  beforeAll(async () => {
    await git.commit("plain", SITE);
    const begun = performance.now();
    const deployed = await box.deploy({ repo_url: git.url("plain"), name: "plain" });
    port = deployed.port;
    first = deployed;
    // Fetching over HTTP, planning, writing, routing and the look through the proxy.
    expect(performance.now() - begun).toBeLessThan(10_000);
    await box.api("PATCH", "/apps/plain", { drain_s: 1 });
  }, 60_000);

  test("is served by the proxy, without a container, an image or a network", async () => {
    expect(await text(port)).toBe(SITE["index.html"]);
    expect(await (await box.host("plain")).text()).toBe(SITE["index.html"]);
    expect(await instances("plain")).toMatchObject([
      { process: "web", status: "running", served_by: "proxy", address: null },
    ]);
    const runtime = await box.runtime();
    expect([await runtime.list(), await runtime.listImages(), await runtime.listNetworks()]).toEqual([
      [],
      [],
      [],
    ]);
    await runtime.close();
    expect(await sites()).toEqual([first.deployment_id.toLowerCase()]);
    expect((await box.api("GET", "/apps/plain/health")).body).toMatchObject({ healthy: true });
    expect((await box.api("GET", "/apps/plain")).body).toMatchObject({ status: "running" });
    expect((await box.api("GET", "/apps/plain/releases")).body).toMatchObject([
      { image_id: null, site: first.deployment_id.toLowerCase(), status: "current" },
    ]);
  });

  test("says how it is served, and which lines of its rules cannot be used", async () => {
    const { body } = await box.api("GET", `/deployments/${first.deployment_id}`);
    expect(body).toMatchObject({
      status: "success",
      warnings: [
        {
          code: "site_incomplete",
          evidence: [
            expect.stringContaining("_headers line 5"),
            expect.stringContaining("_redirects line 3"),
          ],
        },
      ],
    });
    const log = (await box.api<string>("GET", `/deployments/${first.deployment_id}/log`)).body;
    expect(log).toContain("served by the proxy, without a container");
    expect(log).toContain("_headers line 5");
    expect(log).toContain("_redirects line 3");
  });

  test("answers from variants, in ranges and by conditions", async () => {
    const plain = await box.app(port, "/", { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(plain.headers.get("x-site")).toBe("yes");
    const etag = plain.headers.get("etag") as string;
    const raw = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { "accept-encoding": "br" },
      decompress: false,
    });
    expect(raw.headers.get("content-encoding")).toBe("br");
    expect(brotliDecompressSync(Buffer.from(await raw.arrayBuffer())).toString()).toBe(SITE["index.html"]);
    const again = await box.app(port, "/", {
      headers: { "accept-encoding": "identity", "if-none-match": etag },
    });
    expect(again.status).toBe(304);
    const part = await box.app(port, "/", {
      headers: { "accept-encoding": "identity", range: "bytes=4-6" },
    });
    expect([part.status, await part.text()]).toEqual([206, "one"]);
    const dated = await box.app(port, "/", {
      headers: { "if-modified-since": plain.headers.get("last-modified") as string },
    });
    expect(dated.status).toBe(304);
  });

  test("follows its own rules, and serves nothing that is not the site's", async () => {
    const moved = await box.app(port, "/old/page", { redirect: "manual" });
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "/about/"]);
    const about = await box.app(port, "/about/");
    expect([await about.text(), about.headers.get("cache-control")]).toEqual(["about", "public, max-age=60"]);
    const gone = await box.app(port, "/gone");
    expect([gone.status, await gone.text()]).toEqual([404, "not here"]);
    for (const path of [
      "/.env",
      "/_headers",
      "/_redirects",
      "/manifest.json",
      "/../../proxy.log",
      "/nothing",
    ]) {
      const answer = await box.app(port, path);
      expect([path, answer.status, await answer.text()]).toEqual([path, 404, "not here"]);
    }
  });

  test("has no log, no second instance and nothing to run a command in, and says so", async () => {
    const logs = await box.api<{ code: string }>("GET", "/apps/plain/logs");
    expect([logs.status, logs.body.code]).toEqual([409, "no_log"]);
    const scaled = await box.api<{ detail: string }>("PATCH", "/apps/plain/formation", { web: 3 });
    expect(scaled.status).toBe(422);
    expect(scaled.body.detail).toContain("files that the proxy serves");
    expect((await box.api("GET", "/apps/plain/formation")).body).toMatchObject([
      { process: "web", served_by: "proxy", quantity: 1 },
    ]);
  });

  test("is replaced and rolled back without a lost request, and keeps what is needed for it", async () => {
    const client = new SteadyClient(`http://127.0.0.1:${port}/`, (status) => status === 200);
    await git.commit("plain", { ...SITE, "index.html": "<h1>two</h1>" });
    await box.api("POST", "/apps/plain/deployments", {});
    expect(await text(port)).toBe("<h1>two</h1>");
    const back = await box.api("POST", "/apps/plain/rollback", {});
    expect(back.status).toBe(201);
    expect(await text(port)).toBe(SITE["index.html"]);
    await client.stop();
    expect(client.failures).toEqual([]);
    await box.settled();
    expect((await sites()).length).toBe(2);
    expect((await instances("plain")).length).toBe(1);
  });

  test("stops, and starts again", async () => {
    await box.api("POST", "/apps/plain/stop");
    await box.until("it is stopped", async () => (await box.app(port)).status === 503);
    await box.settled();
    const started = await box.api<{ deployment_id: string }>("POST", "/apps/plain/start");
    await box.ended(started.body.deployment_id);
    expect(await text(port)).toBe(SITE["index.html"]);
  });

  test("takes its settings: single page, error page, headers, another root", async () => {
    const wrong = await box.api<{ detail: string }>("PATCH", "/apps/plain", {
      static: { headers: { "/*": { "Content-Length": "1" } } },
    });
    expect([wrong.status, wrong.body.detail]).toEqual([422, expect.stringContaining("static.headers")]);
    await box.api("PATCH", "/apps/plain", {
      static: { spa: true, headers: { "/*": { "X-Site": "settings" } }, cache_control: "no-store" },
    });
    await box.api("POST", "/apps/plain/deployments", {});
    const deep = await box.app(port, "/any/where");
    expect([deep.status, await deep.text()]).toEqual([200, "<h1>two</h1>"]);
    expect(deep.headers.get("x-site")).toContain("settings");
    expect(deep.headers.get("cache-control")).toBe("no-store");
    await box.api("PATCH", "/apps/plain", { static: { root: "about", spa: null } });
    await box.api("POST", "/apps/plain/deployments", {});
    expect(await text(port)).toBe("about");
    await box.api("PATCH", "/apps/plain", { static: { root: "../.." } });
    const out = await box.api<{ code: string }>("POST", "/apps/plain/deployments", {});
    expect([out.status, out.body.code]).toEqual([422, "site_empty"]);
    expect(await text(port)).toBe("about");
    await box.api("PATCH", "/apps/plain", { static: { root: null } });
  });

  test("that lost a file is no target any more and says so; the next deployment mends it", async () => {
    const [row] = (
      await box.api<{ site: string; status: string }[]>("GET", "/apps/plain/releases")
    ).body.filter(({ status }) => status === "current");
    const directory = join(box.data, "proxy/sites", row!.site);
    const [file] = (await readdir(directory)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    await rm(join(directory, file as string));
    await box.kill("SIGTERM");
    await box.serve();
    await box.until("it is known", async () => (await box.api("GET", "/apps/plain")).body.status === "error");
    expect((await box.api("GET", "/apps/plain/health")).body.message).toContain("damaged");
    await box.api("POST", "/apps/plain/deployments", {});
    await box.until("it runs", async () => (await box.api("GET", "/apps/plain")).body.status === "running");
    expect(await text(port)).toBe("<h1>two</h1>");
  });

  test("moves into a container and out of it again when asked", async () => {
    await box.api("PATCH", "/apps/plain", { static: { serve: "container" } });
    await box.api("POST", "/apps/plain/deployments", {});
    expect(await text(port)).toBe("<h1>two</h1>");
    await box.settled();
    expect(await instances("plain")).toMatchObject([{ served_by: "container" }]);
    expect((await containers()).length).toBe(1);
    expect((await box.api<string>("GET", "/apps/plain/logs")).status).toBe(200);
    await box.api("PATCH", "/apps/plain", { static: { serve: "proxy" } });
    await box.api("POST", "/apps/plain/deployments", {});
    expect(await text(port)).toBe("<h1>two</h1>");
    await box.settled();
    expect(await instances("plain")).toMatchObject([{ served_by: "proxy" }]);
    expect(await containers()).toEqual([]);
  }, 60_000);

  test("keeps five releases to go back to; older files are gone", async () => {
    for (let round = 0; round < 6; round++) {
      await git.commit("plain", { "index.html": `round ${round}` });
      await box.api("POST", "/apps/plain/deployments", {});
    }
    await box.settled();
    const releases = (await box.api<{ site: string | null; status: string }[]>("GET", "/apps/plain/releases"))
      .body;
    const kept = releases.filter(({ status }) => status === "current" || status === "previous");
    expect(kept.length).toBe(5);
    expect(await sites()).toEqual(kept.map(({ site }) => site as string).sort());
  }, 60_000);

  test("leaves nothing behind when it is destroyed", async () => {
    await box.api("DELETE", "/apps/plain?confirm=plain");
    await box.settled();
    expect(await sites()).toEqual([]);
  });
});

test("a plain site deploys while the engine is down", async () => {
  await git.commit("offline", { "index.html": "offline" });
  await using alone = await Box.start({ env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  const { port } = await alone.deploy({ repo_url: git.url("offline"), name: "offline" });
  expect(await (await alone.app(port)).text()).toBe("offline");
  await git.commit("offline", { "index.html": "second" });
  expect((await alone.api("POST", "/apps/offline/deployments", {})).status).toBe(201);
  expect((await alone.api("POST", "/apps/offline/rollback", {})).status).toBe(201);
  expect(await (await alone.app(port)).text()).toBe("offline");
  await git.commit("offline", { "none.txt": "no page" });
  expect((await alone.api("POST", "/apps/offline/deployments", {})).status).toBe(422);
  await alone.settled();
  expect(await (await alone.app(port)).text()).toBe("offline");
}, 60_000);

describe("a site that is built", () => {
  const DIRECTORY = join(import.meta.dir, "../fixtures/vite-static");
  let port: number;

  beforeAll(async () => {
    await git.commit("vite", DIRECTORY);
    ({ port } = await box.deploy({ repo_url: git.url("vite"), name: "vite" }));
  }, 300_000);

  afterAll(async () => {
    await box.api("DELETE", "/apps/vite?confirm=vite");
    await box.settled();
  }, 60_000);

  test("is taken out of its image; nothing of it runs", async () => {
    const page = await text(port);
    expect(page).toContain("<script");
    const script = /src="([^"]+\.js)"/.exec(page)?.[1] as string;
    const answer = await box.app(port, script);
    expect(answer.headers.get("content-type")).toStartWith("text/javascript");
    // Vite builds one page: its router answers for every path.
    expect(await text(port, "/some/route")).toBe(page);
    expect(await containers()).toEqual([]);
    expect(await instances("vite")).toMatchObject([{ served_by: "proxy", status: "running" }]);
  });

  test("is written again from its image when its files are damaged", async () => {
    const [{ site }] = (await box.api<{ site: string }[]>("GET", "/apps/vite/releases")).body as [
      { site: string },
    ];
    const directory = join(box.data, "proxy/sites", site);
    const manifest = await Bun.file(join(directory, "manifest.json")).text();
    for (const name of await readdir(directory)) await truncate(join(directory, name), 3);
    await box.kill("SIGTERM");
    await box.serve();
    const page = Bun.file(join(directory, "manifest.json"));
    await box.until("it is whole", async () => (await page.text().catch(() => "")) === manifest);
    await box.until("it serves", async () => (await box.app(port)).status === 200);
    expect(await containers()).toEqual([]);
  }, 60_000);
});

describe("serve that is killed", () => {
  let port: number;
  let version = 0;
  const page = () => `version ${version}`;
  const commit = async () => {
    version++;
    await git.commit("crash", { "index.html": page(), "style.css": `/* ${version} */${TEXT}` });
  };

  beforeAll(async () => {
    await commit();
    ({ port } = await box.deploy({ repo_url: git.url("crash"), name: "crash" }));
    await box.api("PATCH", "/apps/crash", { drain_s: 1 });
    await box.settled();
  }, 60_000);

  afterAll(async () => {
    await box.api("DELETE", "/apps/crash?confirm=crash");
    await box.settled();
  }, 60_000);

  /** One instance, and exactly the files of the releases that are kept. */
  async function whole(): Promise<void> {
    await box.settled();
    expect(await instances("crash")).toMatchObject([{ status: "running", served_by: "proxy" }]);
    const releases = (await box.api<{ site: string; status: string }[]>("GET", "/apps/crash/releases")).body;
    const kept = releases.filter(({ status }) => status === "current" || status === "previous");
    expect((await sites()).filter((name) => !others.has(name))).toEqual(kept.map(({ site }) => site).sort());
  }

  let others: Set<string>;
  beforeAll(async () => {
    const mine = (await box.api<{ site: string }[]>("GET", "/apps/crash/releases")).body.map(
      ({ site }) => site,
    );
    others = new Set((await sites()).filter((name) => !mine.includes(name)));
  });

  for (const at of ["deployment:building", "deployment:routing", "drain:stopping", "drain:pruning"])
    test(`at ${at} lands in the same place, and no request is lost`, async () => {
      const before = page();
      await commit();
      await box.kill("SIGKILL");
      await box.serve({ crashAt: at });
      const client = new SteadyClient(
        `http://127.0.0.1:${port}/`,
        (status, body) => status === 200 && (body === before || body === page()),
      );
      const { body } = await box.api<{ id: string }>("POST", "/apps/crash/deployments", { wait: false });
      await box.died();
      expect((await box.app(port)).status).toBe(200);
      await box.serve();
      expect(await box.ended(body.id)).toMatchObject({ status: "success", error: null });
      await whole();
      await client.stop();
      expect(await text(port)).toBe(page());
      expect(client.failures).toEqual([]);
    }, 60_000);

  test("while it undoes a deployment leaves none of its files", async () => {
    const before = await text(port);
    await git.commit("crash", { "index.html": "never" });
    await box.api("PATCH", "/apps/crash", { static: { root: "no-such-directory" } });
    await box.kill("SIGKILL");
    await box.serve({ crashAt: "deployment:unwinding" });
    const { body } = await box.api<{ id: string }>("POST", "/apps/crash/deployments", { wait: false });
    await box.died();
    await box.serve();
    expect(await box.ended(body.id)).toMatchObject({ status: "failed", error: { code: "site_empty" } });
    await whole();
    expect(await text(port)).toBe(before);
  }, 60_000);
});
