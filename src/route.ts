import type { Actor, Permission } from "./operation.ts";
import type { Parts } from "./product/parts.ts";

/** What a hand-listed route gets. The guard has let the actor through before the body is read. */
export interface RouteCall {
  request: Request;
  params: Record<string, string>;
  query: URLSearchParams;
  /** null only on public routes. */
  actor: Actor | null;
  parts: Parts;
  /** The peer's address; null on control.sock. */
  ip: string | null;
}

/** A route outside the table of operations: pages, static assets, streams, sign-in. Each says why it is one. */
export interface HandRoute {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Whole path, `:name` parameters. */
  path: string;
  /** `public` = answered without a sign-in. Deny by default: there is no other way to leave it out. */
  permission: Permission | "public";
  reason: string;
  /** Pages: a missing sign-in leads to /login instead of a 401 problem document. */
  page?: boolean;
  handle(call: RouteCall): Promise<Response> | Response;
}
