import type { Operation } from "../operation.ts";
import type { BoxRequest } from "./box.ts";
import type { Input } from "./operation-input.ts";

/** The HTTP request an operation is asked by: path parameters, then query (GET, DELETE) or JSON body. */
export function requestOf({ method, path, bodyAs }: Operation, input: Input): BoxRequest {
  const rest = { ...input };
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return pathSegment(value);
  });
  if (method === "GET" || method === "DELETE")
    return { method, path: filled, query: rest as BoxRequest["query"] };
  return { method, path: filled, json: bodyAs ? rest[bodyAs] : rest };
}

/** One segment of a path. `blog@staging` stays readable: @ is allowed there (RFC 3986 §3.3). */
export function pathSegment(text: string): string {
  return encodeURIComponent(text).replaceAll("%40", "@");
}
