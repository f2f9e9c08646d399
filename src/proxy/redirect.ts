import { headOf } from "./local-answer.ts";
import type { Redirect, Route } from "./protocol.ts";
import { stripPrefix } from "./request-path.ts";

/** Where a request of this route is sent, see `Redirect.to`. */
export function locationOf(
  { to }: Redirect,
  route: Pick<Route, "path" | "strip_path">,
  { path, query }: { path: string; query: string },
): string {
  if (!to.endsWith("/")) return to;
  const rest = route.strip_path ? stripPrefix(path, route.path) : path;
  // OPTIONS * names no path.
  return to.slice(0, -1) + (rest === "*" ? "/" : rest) + query;
}

/** The bytes of the answer that sends a client there. */
export function renderRedirect(
  redirect: Redirect,
  location: string,
  { headOnly, close }: { headOnly: boolean; close: boolean },
): Buffer {
  const body = Buffer.from(`Moved to ${location}\n`);
  const head = headOf(redirect.code, [
    `Location: ${location}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    ...(close ? ["Connection: close"] : []),
  ]);
  return headOnly ? head : Buffer.concat([head, body]);
}
