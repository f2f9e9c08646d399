import type { HandRoute, RouteCall } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";

/** For monitors, which have no token. */
export function healthRoutes(): HandRoute[] {
  return ["/healthz", `${API_ROOT}/healthz`].map((path) => ({
    method: "GET",
    path,
    permission: "public",
    reason: "monitors ask it without a token; it tells the version and nothing else",
    handle,
  }));
}

/** Answers once the database does: a daemon that cannot read it serves nobody. */
function handle({ parts }: RouteCall): Response {
  parts.store.get("select 1");
  return Response.json(
    { status: "ok", version: parts.settings.version },
    { headers: { "cache-control": "no-store" } },
  );
}
