import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import { Idempotency } from "../../src/api/idempotency.ts";
import { DiploError } from "../../src/errors.ts";
import { operation, Reply } from "../../src/operation.ts";
import { type ControlBox, startControlBox } from "./control-box.ts";

let runs = 0;
let release: () => void = () => {};
let waiting: Promise<void> = Promise.resolve();

const count = operation({
  verb: "count",
  method: "POST",
  path: "/count",
  summary: "",
  input: t.Object({ name: t.Optional(t.String()) }),
  output: t.Any(),
  permission: "deploy",
  audit: "counted",
  run: async ({ signal }) => {
    const run = ++runs;
    await waiting;
    signal.throwIfAborted();
    return new Reply(201, { run });
  },
});

let box: ControlBox;
let token: string;
beforeAll(async () => {
  box = await startControlBox({ operations: [count] });
  token = box.token();
});
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  runs = 0;
  waiting = Promise.resolve();
});

const post = (key: string | null, body: object = {}, bearer = token, signal?: AbortSignal) =>
  fetch(`${box.url}/api/v1/count`, {
    method: "POST",
    body: JSON.stringify(body),
    signal,
    headers: {
      authorization: `Bearer ${bearer}`,
      "content-type": "application/json",
      ...(key !== null && { "idempotency-key": key }),
    },
  });

test("a repeated request with the same Idempotency-Key gets the first answer", async () => {
  const answers = [
    await post("one"),
    await post("one"),
    await post("two"),
    await post(null),
    await post(null),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  expect(await Promise.all(answers.map(async (answer) => (await answer.json()).run))).toEqual([
    1, 1, 2, 3, 4,
  ]);
});

test("the same key with another request is refused, and another token's key is its own", async () => {
  await post("shared", { name: "a" });
  const other = await post("shared", { name: "b" });
  expect([other.status, (await other.json()).code]).toEqual([422, "idempotency_key_reused"]);
  expect(await (await post("shared", { name: "b" }, box.token())).json()).toEqual({ run: 2 });
  expect((await post("not printable é")).status).toBe(422);
});

test("a client that was cut off while it waited comes back for the same answer", async () => {
  waiting = new Promise((resolve) => {
    release = resolve;
  });
  const leave = new AbortController();
  const cut = post("cut", {}, token, leave.signal).catch(() => "cut");
  while (runs === 0) await Bun.sleep(1);
  leave.abort();
  expect(await cut).toBe("cut");
  const again = post("cut");
  release();
  expect(await (await again).json()).toEqual({ run: 1 });
  expect(box.parts.audit.list()[0]).toMatchObject({ action: "counted", outcome: "done" });
});

test("Idempotency keeps a refusal, but neither a fault of ours nor anything older than a day", async () => {
  let now = 0;
  let tries = 0;
  const repeats = new Idempotency(() => now);
  const failing = (status: number) => async () => {
    tries++;
    throw new DiploError("failed", "no", { status });
  };
  await expect(repeats.once("a", "f", failing(422))).rejects.toThrow();
  await expect(repeats.once("a", "f", failing(422))).rejects.toThrow();
  expect(tries).toBe(1);
  await expect(repeats.once("b", "f", failing(500))).rejects.toThrow();
  await expect(repeats.once("b", "f", failing(500))).rejects.toThrow();
  expect(tries).toBe(3);
  now = 24 * 3600_000;
  await expect(repeats.once("a", "f", failing(422))).rejects.toThrow();
  expect(tries).toBe(4);
});
