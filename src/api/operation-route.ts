import { createHash } from "node:crypto";
import { type Actor, type Operation, Reply } from "../operation.ts";
import { invoke } from "../product/invoke.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { type Idempotency, idempotencyKey } from "./idempotency.ts";
import { problemResponse } from "./problem.ts";
import { readJson } from "./read-json.ts";

export const API_ROOT = "/api/v1";

/** The HTTP route that follows from an operation. */
export function operationRoute(operation: Operation, repeats: Idempotency): HandRoute {
  return {
    method: operation.method,
    path: `${API_ROOT}${operation.path}`,
    permission: operation.permission,
    reason: "an operation",
    handle: async (call) => {
      const raw = await rawInput(operation, call);
      const answer = await answerOf(operation, raw, call, repeats);
      return answer instanceof Reply ? replyResponse(answer) : jsonResponse(answer);
    },
  };
}

async function answerOf(
  operation: Operation,
  raw: Record<string, unknown>,
  { request, parts, ...call }: RouteCall,
  repeats: Idempotency,
): Promise<unknown> {
  const actor = call.actor as Actor;
  const key = operation.method === "POST" ? idempotencyKey(request) : null;
  if (key === null) return invoke(operation, raw, actor, parts, request.signal);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([operation.verb, raw]))
    .digest("hex");
  // Whoever sends a key may come back for the answer: the work is waited for, though nobody listens now.
  const here = new AbortController().signal;
  return repeats.once(`${actor.type} ${actor.id} ${key}`, fingerprint, () =>
    invoke(operation, raw, actor, parts, here),
  );
}

/** Query, body and path in one object; the path has the last word, since it is what the route was authorised by. */
async function rawInput({ method, bodyAs }: Operation, { request, params, query }: RouteCall) {
  const hasBody = method !== "GET" && method !== "DELETE";
  const body = hasBody ? await readJson(request) : {};
  return { ...queryFields(query), ...(bodyAs && hasBody ? { [bodyAs]: body } : body), ...params };
}

function queryFields(query: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(query.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? (values[0] as string) : values];
    }),
  );
}

function replyResponse({ status, body, headers }: Reply<unknown>): Response {
  if (status >= 400) return problemResponse({ ...(body as object), status }, headers);
  return jsonResponse(body, status, headers);
}

function jsonResponse(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  if (status === 204 || body === undefined) return new Response(null, { status: 204, headers });
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}
