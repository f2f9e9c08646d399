import { Type as t } from "@sinclair/typebox";
import { readInput } from "../product/read-input.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { clearSessionCookie, readSessionCookie } from "../security/auth/session-cookie.ts";
import { readJson } from "./read-json.ts";

const Redeem = t.Object({ token: t.String({ minLength: 1, maxLength: 200 }) });

export function signInRoutes(): HandRoute[] {
  return [
    {
      method: "POST",
      path: "/setup/redeem",
      permission: "public",
      reason: "turns a one-time link's token into a session; there is none yet",
      handle: redeem,
    },
    {
      method: "POST",
      path: "/logout",
      permission: "public",
      reason: "signing out twice is no mistake",
      handle: signOut,
    },
  ];
}

/** 204 with the cookie. The token comes in the body, out of the link's fragment: it is in no log. */
async function redeem({ request, parts, ip }: RouteCall): Promise<Response> {
  const { token } = readInput(Redeem, await readJson(request, 4096));
  const { setCookie } = parts.access.redeemLoginLink(token, {
    ip,
    userAgent: request.headers.get("user-agent"),
    secure: request.url.startsWith("https:"),
  });
  return new Response(null, {
    status: 204,
    headers: { "set-cookie": setCookie, "cache-control": "no-store" },
  });
}

function signOut({ request, parts }: RouteCall): Response {
  const session = readSessionCookie(request.headers.get("cookie"));
  if (session !== null) parts.access.signOut(session);
  const fromForm = /\btext\/html\b/.test(request.headers.get("accept") ?? "");
  return new Response(null, {
    status: fromForm ? 303 : 204,
    headers: { "set-cookie": clearSessionCookie(), ...(fromForm && { location: "/login" }) },
  });
}
