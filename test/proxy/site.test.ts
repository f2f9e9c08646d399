import { afterEach, describe, expect, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Route, SiteManifest, Target } from "../../src/proxy/protocol.ts";
import { eventually, exchange, PROBE_TOKEN, routeTo, TestPlane } from "./harness.ts";
import { type Content, LAST_MODIFIED, writeSite } from "./site-fixture.ts";

const planes: TestPlane[] = [];

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.stop();
});

const SITE: Target = { instance: "site1", release: 1, weight: 1, site: "rel-1" };

async function serving(
  files: Record<string, string | Content>,
  manifest: Partial<SiteManifest> = {},
  route: Partial<Route> = {},
): Promise<TestPlane> {
  const plane = await TestPlane.start();
  planes.push(plane);
  await writeSite(join(plane.data, "proxy"), "rel-1", files, manifest);
  await plane.route([{ ...routeTo([]), targets: [SITE], ...route }]);
  return plane;
}

/** One request on a connection of its own; `head` is what comes before the empty line. */
async function get(
  plane: TestPlane,
  path: string,
  fields: string[] = [],
  method = "GET",
): Promise<{ status: number; head: string; body: string }> {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: blog.test", ...fields, "Connection: close", "\r\n"];
  const answer = await exchange(plane.port, lines.join("\r\n"));
  const end = answer.indexOf("\r\n\r\n");
  const head = answer.slice(0, end);
  return { status: Number(head.split(" ")[1]), head, body: answer.slice(end + 4) };
}

describe("a route to a static release", () => {
  test("answers with its files, and a probe learns which release it was", async () => {
    const plane = await serving({ "/index.html": "<h1>hi</h1>" });
    const { status, head, body } = await get(plane, "/", [`X-Diplo-Probe: ${PROBE_TOKEN}`]);
    expect([status, body]).toEqual([200, "<h1>hi</h1>"]);
    expect(head).toContain("Content-Type: text/html; charset=utf-8");
    expect(head).toContain("Content-Length: 11");
    expect(head).toContain(`Last-Modified: ${LAST_MODIFIED}`);
    expect(head).toContain("X-Diplo-Instance: site1");
    expect((await get(plane, "/")).head).not.toContain("X-Diplo-Instance");
  });

  test("is refused when its manifest is missing or broken, and what served before goes on", async () => {
    const plane = await serving({ "/index.html": "first" });
    const table = (site: string) =>
      plane.put("/routes", plane.table([{ ...routeTo([]), targets: [{ ...SITE, site }] }]));
    const missing = await table("rel-2");
    expect(missing.status).toBe(422);
    expect(JSON.stringify(missing.body)).toContain("routes[0].targets[0].site: rel-2:");
    expect((await table("../rel-1")).status).toBe(422);
    await writeSite(join(plane.data, "proxy"), "rel-3", {});
    await writeFile(join(plane.data, "proxy", "sites", "rel-3", "manifest.json"), '{"version":1,"files":[]}');
    expect(JSON.stringify((await table("rel-3")).body)).toContain("rel-3: files: not an object");
    expect((await get(plane, "/")).body).toBe("first");
  });

  test("whose files are gone after a restart costs that route only", async () => {
    const plane = await serving({ "/index.html": "first" });
    await rm(join(plane.data, "proxy", "sites", "rel-1"), { recursive: true });
    const { status, head } = await get(plane, "/");
    expect(status).toBe(500);
    expect(head).toContain("X-Diplo-Error: internal");
    await writeSite(join(plane.data, "proxy"), "rel-1", { "/index.html": "again" });
    await eventually(async () => (await get(plane, "/")).body === "again");
  });
});
