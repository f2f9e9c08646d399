import { ulid } from "ulid";
import { DiploError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Parts } from "../product/parts.ts";
import type { HandRoute } from "../route.ts";
import { type Arrival, plainAddress } from "./arrival.ts";
import { Guard } from "./guard.ts";
import { admitHost } from "./host-gate.ts";
import { API_ROOT } from "./operation-route.ts";
import type { PeerGate } from "./peer-gate.ts";
import { logFault, type Problem, problemHeaders, problemOf, problemResponse } from "./problem.ts";
import { createRouter } from "./router.ts";

/** How a page tells an error; the API always answers the problem document. */
export type ErrorPage = (problem: Problem, request: Request) => Response | Promise<Response>;

export interface FrontDoorOptions {
  parts: Parts;
  routes: readonly HandRoute[];
  peers: PeerGate;
  /** Names of this box that Host may carry. */
  names: ReadonlySet<string>;
  log: Log;
  errorPage: ErrorPage;
}

/** Longest silence of a connection once its answer has begun. */
const SILENCE_S = 30;

/** What a listener knows of a request. */
export interface Peer {
  /** null on control.sock. */
  ip: string | null;
  secure: boolean;
  /** How long its connection may be silent before it is cut; 0 = for ever. */
  limitSilence(seconds: number): void;
}

/** From a request to its answer: gates, route, guard, handler, and one shape for everything that goes wrong. */
export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #guard: Guard;
  readonly #route: (request: Request) => Promise<Response>;
  readonly #arrivals = new WeakMap<Request, Arrival & { limitSilence(seconds: number): void }>();

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#guard = new Guard(options.parts.access);
    this.#route = createRouter({
      routes: options.routes,
      handle: (route, request, params) => this.#handle(route, request, params),
      unmatched: (request, allowed) => this.#unmatched(request, allowed),
    });
  }

  async answer(request: Request, { ip, secure, limitSilence }: Peer): Promise<Response> {
    const plainIp = ip === null ? null : plainAddress(ip);
    const asked = request.method === "HEAD" ? asGet(request) : request;
    const arrival = { request: asked, id: ulid(), local: ip === null, ip: plainIp, secure, limitSilence };
    this.#arrivals.set(asked, arrival);
    const answered = await this.#admitted(asked, plainIp).catch((error) => this.#refuse(error, asked, false));
    const response = request.method === "HEAD" ? await withoutBody(answered) : answered;
    response.headers.set("x-request-id", arrival.id);
    response.headers.set("x-content-type-options", "nosniff");
    return response;
  }

  // Async, so that a gate's refusal is a rejection like any other.
  async #admitted(request: Request, ip: string | null): Promise<Response> {
    if (ip !== null) {
      this.#options.peers.admit(ip);
      admitHost(request.headers.get("host"), this.#options.names);
    }
    return this.#route(request);
  }

  async #handle(
    route: HandRoute,
    request: Request,
    params: Record<string, string | null>,
  ): Promise<Response> {
    const { parts } = this.#options;
    const arrival = this.#arrivalOf(request);
    try {
      const actor = this.#guard.admit(route, arrival);
      // A deployment that is waited for says nothing for minutes.
      if (actor) arrival.limitSilence(0);
      const query = new URL(request.url).searchParams;
      return await route.handle({ request, params: decoded(params), query, actor, parts, ip: arrival.ip });
    } catch (error) {
      return this.#refuse(error, request, route.page === true);
    } finally {
      // Streams have heartbeats below this; a kept-alive connection must not stay for ever.
      arrival.limitSilence(SILENCE_S);
    }
  }

  async #unmatched(request: Request, allowed: string[]): Promise<Response> {
    const error =
      allowed.length > 0
        ? new DiploError("method_not_allowed", `${request.method} is not answered here`, {
            status: 405,
            detail: `This address answers ${allowed.join(", ")} only.`,
          })
        : new DiploError("not_found", "no such address", {
            status: 404,
            detail: "There is nothing at this address.",
          });
    const response = await this.#refuse(error, request, isPageRequest(request));
    if (allowed.length > 0) response.headers.set("allow", allowed.join(", "));
    return response;
  }

  async #refuse(error: unknown, request: Request, page: boolean): Promise<Response> {
    const { id } = this.#arrivalOf(request);
    logFault(this.#options.log, error, id);
    const problem = problemOf(error, id);
    if (!page) return problemResponse(problem, problemHeaders(error));
    return problem.code === "unauthenticated" ? toSignIn(request) : this.#options.errorPage(problem, request);
  }

  #arrivalOf(request: Request): Arrival & { limitSilence(seconds: number): void } {
    const arrival = this.#arrivals.get(request);
    if (arrival) return arrival;
    throw new Error("the router answered another request than the one it was given");
  }
}

// HEAD is GET without the body (RFC 9110 §9.3.2). Elysia's own reads that body to its end, and a stream has none.
function asGet(request: Request): Request {
  return new Request(request.url, { headers: request.headers, signal: request.signal });
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

/** A page waits behind the sign-in; a fragment cannot show it in its own place. */
function toSignIn(request: Request): Response {
  const fragment = request.headers.has("hx-request");
  return fragment
    ? new Response(null, { status: 401, headers: { "hx-redirect": "/login" } })
    : new Response(null, { status: 303, headers: { location: "/login" } });
}

function isPageRequest(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return !pathname.startsWith(`${API_ROOT}/`) && /\btext\/html\b/.test(request.headers.get("accept") ?? "");
}

// Elysia gives null for a parameter that is no valid percent-encoding.
function decoded(params: Record<string, string | null>): Record<string, string> {
  if (Object.values(params).some((value) => value === null))
    throw new DiploError("bad_path", "path is not decodable", {
      status: 400,
      detail: "The address is misspelt.",
    });
  return params as Record<string, string>;
}
