import type { TObject, TSchema } from "@sinclair/typebox";
import type { Operation } from "../operation.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";

type Json = Record<string, unknown>;

/** Public knowledge in any case: the same for every box of this version. */
export function openApiRoute(operations: readonly Operation[], handRoutes: readonly HandRoute[]): HandRoute {
  let document: string | undefined;
  return {
    method: "GET",
    path: `${API_ROOT}/openapi.json`,
    permission: "public",
    reason: "the description of the API, read by tools before they have a token",
    handle: ({ parts }: RouteCall) => {
      document ??= JSON.stringify(openApi({ operations, handRoutes, version: parts.settings.version }));
      return new Response(document, { headers: { "content-type": "application/json" } });
    },
  };
}

export interface OpenApiOptions {
  operations: readonly Operation[];
  handRoutes: readonly HandRoute[];
  version: string;
}

/** OpenAPI 3.1 of the table of operations and of the API's own hand routes. TypeBox schemas are JSON Schema 2020-12. */
export function openApi({ operations, handRoutes, version }: OpenApiOptions): Json {
  const paths: Record<string, Json> = {};
  const add = (path: string, method: string, entry: Json) => {
    const pattern = path.replace(/:(\w+)/g, "{$1}");
    paths[pattern] = { ...paths[pattern], [method.toLowerCase()]: entry };
  };
  for (const operation of operations)
    add(`${API_ROOT}${operation.path}`, operation.method, operationEntry(operation));
  for (const route of handRoutes) add(route.path, route.method, handEntry(route));
  return {
    openapi: "3.1.0",
    info: {
      title: "Diplo",
      version,
      description:
        "Sign in with `Authorization: Bearer dpl_…`. Fields of a JSON body may stand in the query as well, e.g. `?wait=0`. Errors are problem documents with a stable `code`.",
    },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: { securitySchemes: SECURITY, schemas: { Problem: PROBLEM } },
  };
}

function operationEntry(operation: Operation): Json {
  const { verb, summary, path, permission, method } = operation;
  const inPath = pathNames(path);
  const inQuery = method === "GET" || method === "DELETE";
  const others = Object.keys(operation.input.properties).filter((name) => !inPath.includes(name));
  return {
    operationId: verb.replaceAll(":", "_"),
    tags: [path.split("/")[1]],
    summary,
    "x-permission": permission,
    parameters: [
      ...inPath.map((name) => parameter(operation.input, name, "path")),
      ...(inQuery ? others.map((name) => parameter(operation.input, name, "query")) : []),
    ],
    ...(!inQuery && { requestBody: requestBody(operation, others) }),
    responses: { "2XX": { description: "Done", content: json(operation.output) }, default: PROBLEM_RESPONSE },
  };
}

function handEntry({ path, reason, permission, method }: HandRoute): Json {
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-z]+(\w)/gi, (_, first: string) => first.toUpperCase())}`,
    summary: reason,
    "x-permission": permission,
    ...(permission === "public" && { security: [] }),
    parameters: pathNames(path).map((name) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    responses: { "2XX": { description: "Done" }, default: PROBLEM_RESPONSE },
  };
}

function parameter(input: TObject, name: string, place: "path" | "query"): Json {
  const schema = input.properties[name] as TSchema;
  const required = place === "path" || (input.required ?? []).includes(name);
  return {
    name,
    in: place,
    required,
    schema: plain(schema),
    ...(schema.description && { description: schema.description }),
  };
}

function requestBody({ input, bodyAs }: Operation, names: string[]): Json {
  const required = (input.required ?? []).filter((name) => names.includes(name));
  const properties = Object.fromEntries(names.map((name) => [name, input.properties[name] as TSchema]));
  const schema = bodyAs
    ? (input.properties[bodyAs] as TSchema)
    : { type: "object", properties, required, additionalProperties: false };
  return { required: bodyAs !== undefined || required.length > 0, content: json(schema) };
}

const json = (schema: object) => ({ "application/json": { schema: plain(schema) } });

/** TypeBox keeps its own marks under symbols; JSON has none. */
const plain = (schema: object): unknown => JSON.parse(JSON.stringify(schema));

const pathNames = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name as string);

const SECURITY = {
  token: { type: "http", scheme: "bearer" },
  session: { type: "apiKey", in: "cookie", name: "diplo_session" },
};

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "code", "detail", "request_id"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable; scripts match on it" },
    detail: { type: "string" },
    hint: { type: "string" },
    evidence: { type: "array", items: { type: "string" } },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: { field: { type: "string" }, message: { type: "string" } },
      },
    },
    request_id: { type: "string" },
  },
};

const PROBLEM_RESPONSE = {
  description: "An error (RFC 9457)",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};
