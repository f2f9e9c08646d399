import { expect, test } from "bun:test";
import { openApi } from "../../src/api/openapi.ts";
import { operations } from "../../src/product/operations.ts";
import { startControlBox } from "./control-box.ts";

interface Entry {
  operationId: string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: { properties?: object; required?: string[] } }> };
  responses: Record<string, { description: string; content?: object }>;
  security?: unknown[];
}
const document = openApi({ operations, handRoutes: [], version: "1.2.3" }) as {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, Entry>>;
};
const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, entry]) => ({ path, method, ...entry })),
);

test("openApi describes every operation once", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(entries).toHaveLength(operations.length);
  expect(new Set(entries.map(({ operationId }) => operationId)).size).toBe(operations.length);
});

test("openApi declares exactly the parameters that stand in each path, as required ones", () => {
  for (const { path, parameters } of entries) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    const declared = parameters.filter((parameter) => parameter.in === "path");
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
    expect(path).not.toContain(":");
  }
});

test("openApi keeps every schema whole JSON Schema: no empty ones, no references that lead nowhere", () => {
  const walk = (value: unknown, visit: (node: Record<string, unknown>) => void): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Array.isArray(value)) visit(value as Record<string, unknown>);
    for (const inner of Object.values(value)) walk(inner, visit);
  };
  const plain = JSON.parse(JSON.stringify(document));
  expect(plain).toEqual(document);
  walk(plain, (node) => {
    if (typeof node.$ref === "string") expect(node.$ref).toBe("#/components/schemas/Problem");
    if ("schema" in node) expect(Object.keys(node.schema as object)).not.toEqual([]);
    if (Array.isArray(node.required) && node.properties)
      for (const name of node.required) expect(Object.keys(node.properties as object)).toContain(name);
  });
});

test("openApi puts fields of a body operation into its body, and of bodyAs the field itself", () => {
  const schemaOf = (path: string, method: string) =>
    document.paths[`/api/v1${path}`]?.[method]?.requestBody?.content["application/json"]?.schema;
  expect(schemaOf("/apps/{app}/volumes", "post")).toMatchObject({
    type: "object",
    required: ["mount_path"],
    additionalProperties: false,
  });
  expect(Object.keys(schemaOf("/apps/{app}/volumes", "post")?.properties ?? {})).not.toContain("app");
  expect(schemaOf("/apps/{app}/env", "patch")).toMatchObject({
    type: "object",
    patternProperties: expect.any(Object),
  });
  expect(document.paths["/api/v1/apps/{app}"]?.delete?.parameters.map(({ name }) => name)).toContain(
    "confirm",
  );
});

test("GET /api/v1/openapi.json tells the running server's own routes, streams included", async () => {
  await using box = await startControlBox();
  const served = await (await fetch(`${box.url}/api/v1/openapi.json`)).json();
  const told = Object.keys(served.paths);
  const api = box.server.routes.map(({ path }) => path.replace(/:(\w+)/g, "{$1}"));
  expect([...new Set(api)].filter((path) => !told.includes(path))).toEqual(["/api/v1/openapi.json"]);
  expect(served.paths["/api/v1/jobs/{job}/log"].get.parameters[0]).toMatchObject({ name: "job", in: "path" });
  expect(served.paths["/healthz"].get.security).toEqual([]);
});
