import { join } from "node:path";
import type { Route, SiteManifest, Target } from "../../src/proxy/protocol.ts";
import { exchange, routeTo, TestPlane } from "./harness.ts";
import { type Content, writeSite } from "./site-fixture.ts";

export const SITE: Target = { instance: "site1", release: 1, weight: 1, site: "rel-1" };

/** A data plane with one route to one static release. */
export async function servingSite(
  files: Record<string, string | Content>,
  manifest: Partial<SiteManifest> = {},
  route: Partial<Route> = {},
): Promise<TestPlane> {
  const plane = await TestPlane.start();
  await writeSite(join(plane.data, "proxy"), "rel-1", files, manifest);
  await plane.route([{ ...routeTo([]), targets: [SITE], ...route }]);
  return plane;
}

export interface Answer {
  status: number;
  /** Values by lower-case name. */
  fields: Map<string, string>;
  body: string;
}

/** One request on a connection of its own. */
export async function ask(
  plane: TestPlane,
  path: string,
  fields: string[] = [],
  method = "GET",
): Promise<Answer> {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: blog.test", ...fields, "Connection: close", "\r\n"];
  return parseAnswer(await exchange(plane.port, lines.join("\r\n")));
}

export function parseAnswer(text: string): Answer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [name = "", ...value] = line.split(": ");
    const before = fields.get(name.toLowerCase());
    fields.set(
      name.toLowerCase(),
      before === undefined ? value.join(": ") : `${before} | ${value.join(": ")}`,
    );
  }
  return { status: Number(first.split(" ")[1]), fields, body: text.slice(end + 4) };
}
