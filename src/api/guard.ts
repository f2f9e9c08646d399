import { DiploError } from "../errors.ts";
import { type Actor, authorise } from "../operation.ts";
import type { HandRoute } from "../route.ts";
import type { Access } from "../security/auth/access.ts";
import { RateLimit } from "../security/auth/rate-limit.ts";
import { readSessionCookie } from "../security/auth/session-cookie.ts";
import type { Arrival } from "./arrival.ts";

/** Lets a request through to its route, or not: decided on the route's own row, before the body is read. */
export class Guard {
  readonly #perToken = new RateLimit({ limit: 600, windowMs: 60_000 });

  constructor(private readonly access: Access) {}

  /** Who asks; null on public routes. Throws `unauthenticated`, `forbidden`, `cross_site`, `too_many_requests`. */
  admit(route: HandRoute, arrival: Arrival): Actor | null {
    const { request } = arrival;
    if (route.permission === "public") {
      if (isUnsafe(request) && cameFromPage(request)) requireSameOrigin(request);
      return null;
    }
    const actor = this.#actor(arrival);
    if (actor.via === "session" && (isUnsafe(request) || isUpgrade(request))) requireSameOrigin(request);
    if (actor.via === "token") this.#perToken.take(actor.id);
    authorise(actor, route.permission);
    return actor;
  }

  #actor({ request, local, ip }: Arrival): Actor {
    if (local) return this.access.socketActor();
    const bearer = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (bearer !== undefined) {
      const actor = this.access.tokenActor(bearer, ip);
      if (actor) return actor;
      throw unauthenticated(
        "The token is unknown, expired or revoked.",
        "Make one with: diplo tokens:create",
      );
    }
    const session = readSessionCookie(request.headers.get("cookie"));
    const actor = session === null ? null : this.access.sessionActor(session, ip);
    if (actor) return actor;
    throw unauthenticated(
      session === null ? "You are not signed in." : "You are signed out.",
      "Get a sign-in link on the box with: diplo login-link; programs send Authorization: Bearer <token>.",
    );
  }
}

function unauthenticated(detail: string, hint: string): DiploError {
  return new DiploError("unauthenticated", "no valid credential", { status: 401, detail, hint });
}

function isUnsafe({ method }: Request): boolean {
  return method !== "GET" && method !== "HEAD";
}

// A WebSocket's upgrade is a GET that no same-origin policy holds back.
function isUpgrade({ headers }: Request): boolean {
  return headers.has("upgrade");
}

function cameFromPage({ headers }: Request): boolean {
  return headers.has("sec-fetch-site") || headers.has("origin");
}

/**
 * The cookie alone proves nothing: cookies ignore ports, so a page of an app on this box sends it too. Browsers say
 * where a request comes from in Sec-Fetch-Site; on plain http they leave it out and Origin has to be exactly ours.
 */
function requireSameOrigin({ headers }: Request): void {
  const site = headers.get("sec-fetch-site");
  if (site === null ? isOwnOrigin(headers) : site === "same-origin") return;
  throw new DiploError("cross_site", "request from another origin", {
    status: 403,
    detail: "This request did not come from Diplo's own pages.",
    hint: "Programs use a token instead of the session cookie.",
  });
}

function isOwnOrigin(headers: Headers): boolean {
  const host = headers.get("host")?.toLowerCase();
  const origin = headers.get("origin")?.toLowerCase();
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
