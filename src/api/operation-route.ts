import { type Actor, type Operation, Reply } from "../operation.ts";
import { invoke } from "../product/invoke.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { problemResponse } from "./problem.ts";
import { readJson } from "./read-json.ts";

export const API_ROOT = "/api/v1";

/** The HTTP route that follows from an operation. */
export function operationRoute(operation: Operation): HandRoute {
  return {
    method: operation.method,
    path: `${API_ROOT}${operation.path}`,
    permission: operation.permission,
    reason: "an operation",
    handle: async (call) => {
      const raw = await rawInput(operation, call);
      const answer = await invoke(operation, raw, call.actor as Actor, call.parts, call.request.signal);
      return answer instanceof Reply ? replyResponse(answer) : jsonResponse(answer);
    },
  };
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
