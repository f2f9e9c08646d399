import { beforeEach, expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import { DiploError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { type Actor, type Operation, operation, type Permission, Reply } from "../../src/operation.ts";
import { invoke } from "../../src/product/invoke.ts";
import type { Parts } from "../../src/product/parts.ts";
import { Audit } from "../../src/security/audit/audit.ts";
import { openStore } from "../../src/store/open.ts";

let parts: Parts;
let audit: Audit;
let seen: unknown[];
beforeEach(async () => {
  audit = new Audit(await openStore({ file: ":memory:", backups: "", log: createLog("error", () => {}) }));
  parts = { audit } as Parts;
  seen = [];
});

const actorWith = (...permissions: Permission[]): Actor => ({
  type: "token",
  id: "01T",
  name: "token ci",
  permissions: new Set(permissions),
  via: "token",
  ip: "192.168.1.7",
});

const change = operation({
  verb: "things:change",
  method: "PATCH",
  path: "/apps/:app/things",
  summary: "",
  input: t.Object({
    app: t.String({ minLength: 1, maxLength: 20 }),
    count: t.Optional(t.Integer({ minimum: 1, maximum: 9 })),
    port: t.Optional(t.Union([t.Integer(), t.Null()])),
    wait: t.Optional(t.Boolean({ default: true })),
    repo_url: t.Optional(t.String()),
    scopes: t.Optional(t.Array(t.String())),
    health: t.Optional(t.Partial(t.Object({ path: t.String({ pattern: "^/" }), timeout_s: t.Integer() }))),
    secret: t.Optional(t.String({ maxLength: 8 })),
    vars: t.Optional(t.Record(t.String(), t.Union([t.String(), t.Null()]))),
  }),
  bodyAs: "vars",
  output: t.Any(),
  permission: "apps:write",
  audit: "things.changed",
  private: ["secret", "vars"],
  run: ({ input }) => {
    seen.push(input);
    return new Reply(201, input);
  },
});

const call = (
  raw: Record<string, unknown>,
  op = change as unknown as Operation,
  signal = new AbortController().signal,
) => invoke(op, raw, actorWith("apps:write"), parts, signal);
const failing = (run: () => never): Operation => ({ ...change, run }) as unknown as Operation;
const refusal = (raw: Record<string, unknown>): Promise<DiploError> =>
  call(raw).then(
    () => expect.unreachable(),
    (error) => error,
  );

test("invoke refuses an actor without the permission before it looks at the input", async () => {
  const asked = invoke(
    change as unknown as Operation,
    { nonsense: 1 },
    actorWith("apps:read"),
    parts,
    AbortSignal.any([]),
  );
  await expect(asked).rejects.toMatchObject({ code: "forbidden", status: 403 });
  expect(seen).toEqual([]);
});

test("invoke turns texts of paths, queries and forms into what the input wants", async () => {
  await call({ app: "007", count: "3", wait: "0", port: "", scopes: "read", health: { timeout_s: "5" } });
  expect(seen[0]).toEqual({
    app: "007",
    count: 3,
    wait: false,
    port: null,
    scopes: ["read"],
    health: { timeout_s: 5 },
  });
});

test("invoke fills in defaults and leaves fitting values as they are", async () => {
  await call({ app: "a", vars: { A: "null", B: null, C: "1", ["__proto__"]: "x" } });
  expect(seen[0]).toEqual({
    app: "a",
    wait: true,
    vars: JSON.parse('{"A":"null","B":null,"C":"1","__proto__":"x"}'),
  });
});

test.each([
  [{}, "app", "is missing; it must be text of 1 to 20 characters"],
  [{ app: "" }, "app", "must be text of 1 to 20 characters"],
  [{ app: "a", count: 12 }, "count", "must be a whole number between 1 and 9"],
  [{ app: "a", count: "3.5" }, "count", "must be a whole number between 1 and 9"],
  [{ app: "a", count: "" }, "count", "must be a whole number between 1 and 9"],
  [{ app: "a", port: "x" }, "port", "must be a whole number or null"],
  [{ app: "a", wait: "maybe" }, "wait", "must be true or false"],
  [{ app: "a", health: { timeout_s: [] } }, "health.timeout_s", "must be a whole number"],
  [{ app: "a", health: { pth: "/" } }, "health.pth", "is not known here; known are path, timeout_s"],
  [{ app: "a", vars: { "a/b": 5 } }, "vars.a/b", "must be text or null"],
  [JSON.parse('{"app":"a","__proto__":{"x":1}}'), "__proto__", "is not known here"],
])("invoke refuses %j by the name of the field %s", async (raw, field, message) => {
  const error = await refusal(raw);
  expect(error).toMatchObject({ code: "invalid", status: 422 });
  expect(error.fields).toHaveLength(1);
  expect(error.fields[0]).toMatchObject({ field });
  expect(error.fields[0]?.message).toStartWith(message);
  expect(error.detail).toContain(message);
  expect(seen).toEqual([]);
});

test("invoke names every wrong field and repeats no value", async () => {
  const error = await refusal({
    app: "a",
    count: "hunter2",
    secret: "hunter2hunter2",
    vars: { K: { hunter2: 1 } },
  });
  expect(error.fields.map(({ field }) => field).sort()).toEqual(["count", "secret", "vars.K"]);
  expect(JSON.stringify([error.message, error.detail, error.hint, error.fields])).not.toContain("hunter2");
});

test("invoke audits what was done, without private values and without a password in an address", async () => {
  const repo_url = "https://me:hunter2@example.org/a.git";
  const reply = await call({ app: "blog", secret: "hunter2", vars: { TOKEN: "hunter2" }, repo_url });
  expect(reply).toBeInstanceOf(Reply);
  const [entry] = audit.list();
  expect(entry).toMatchObject({
    actor: { type: "token", id: "01T", name: "token ci" },
    action: "things.changed",
    target: "blog",
    outcome: "done",
    ip: "192.168.1.7",
    detail: { app: "blog", names: ["TOKEN"], repo_url: "https://***@example.org/a.git" },
  });
  expect(JSON.stringify(entry)).not.toContain("hunter2");
});

test("invoke audits by what is asked for where the operation says so", async () => {
  const look = {
    ...change,
    audit: ({ wait }: { wait?: boolean }) => (wait ? "things.revealed" : undefined),
  } as unknown as Operation;
  await invoke(look, { app: "a", wait: false }, actorWith("apps:write"), parts, AbortSignal.any([]));
  expect(audit.list()).toEqual([]);
  await invoke(look, { app: "a", wait: true }, actorWith("apps:write"), parts, AbortSignal.any([]));
  expect(audit.list()[0]).toMatchObject({ action: "things.revealed", outcome: "done" });
});

test("invoke audits a failure with its code and throws it on", async () => {
  const fail = failing(() => {
    throw new DiploError("disk_full", "no space");
  });
  await expect(call({ app: "blog" }, fail)).rejects.toMatchObject({ code: "disk_full" });
  expect(audit.list()[0]).toMatchObject({ outcome: "failed", detail: { error: "disk_full" } });
});

test("invoke audits an asker who left as left, not as a failure", async () => {
  const left = failing(() => {
    throw new Error("aborted");
  });
  await expect(call({ app: "blog" }, left, AbortSignal.abort())).rejects.toThrow();
  expect(audit.list()[0]?.outcome).toBe("left");
});

test("invoke leaves no audit entry for an operation that only reads", async () => {
  await call({ app: "blog" }, { ...change, audit: undefined } as unknown as Operation);
  expect(audit.list()).toEqual([]);
});
