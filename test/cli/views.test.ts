import { describe, expect, test } from "bun:test";
import { Kind, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { CliContext } from "../../src/cli/cli-context.ts";
import { plain } from "../../src/cli/colour.ts";
import { ago, duration, size } from "../../src/cli/readable.ts";
import { view } from "../../src/cli/views/view.ts";
import { operations } from "../../src/product/operations.ts";
import { deployment } from "./samples.ts";

const now = Date.parse("2026-01-31T12:00:00Z");
const context = { paint: plain, io: { now: () => now } } as unknown as CliContext;
const HOSTILE = "evil\x1b]0;x\x07\x1b[2J\u009b31m";

/** An answer of this shape, with text in every field that a stranger may have written. */
function answerOf(schema: TSchema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.anyOf) return answerOf(schema.anyOf[0]);
  if (schema[Kind] === "Array") return [answerOf(schema.items)];
  if (schema[Kind] === "Object")
    return Object.fromEntries(
      Object.entries(schema.properties as Record<string, TSchema>).map(([name, field]) => [
        name,
        name.endsWith("_at") ? "2026-01-31T11:00:00.000Z" : answerOf(field),
      ]),
    );
  if (schema[Kind] === "Record")
    return { [HOSTILE]: answerOf(Object.values(schema.patternProperties as Record<string, TSchema>)[0]!) };
  if (schema[Kind] === "String") return HOSTILE;
  return Value.Create(schema);
}

describe("view prints each operation's answer without a foreign control character", () => {
  for (const { verb, output } of operations)
    test(verb, () => {
      // config:get and the secrets shown once are the bare value, for a pipe.
      if (verb === "config:get") return;
      const text = view(verb, answerOf(output), context);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
      expect(text === "" || text.endsWith("\n")).toBe(true);
      expect(text).not.toMatch(/undefined|\[object|NaN/);
    });
});

describe("view says what would fill an empty list", () => {
  for (const { verb, output } of operations)
    if (output[Kind] === "Array") test(verb, () => expect(view(verb, [], context)).toMatch(/^\S.*\n$/));
});

test("view tells why a deployment failed", () => {
  const error = {
    code: "build_failed",
    title: "The build failed",
    detail: "npm ci ended",
    evidence: ["line"],
    hint: null,
  };
  const text = view("deployments:info", deployment({ status: "failed", error }), context);
  expect(text).toContain("The build failed (build_failed)\nnpm ci ended\n  │ line\n");
});

test("duration, ago and size speak as people do", () => {
  expect([0, 449, 9_949, 12_300, 65_000, 3_661_000, 90_000_000].map(duration)).toEqual([
    "0.0s",
    "0.4s",
    "9.9s",
    "12s",
    "1m 05s",
    "1h 01m",
    "1d 1h",
  ]);
  const before = (seconds: number) => ago(new Date(now - seconds * 1000).toISOString(), now);
  expect([
    ago(null, now),
    before(-5),
    before(30),
    before(90),
    before(7200),
    before(200_000),
    before(1e8),
  ]).toEqual(["-", "now", "30 s ago", "1 min ago", "2 h ago", "2 d ago", "2022-12-01"]);
  expect([0, 1023, 1536, 5 * 1024 ** 3, 300 * 1024 ** 2].map(size)).toEqual([
    "0 B",
    "1023 B",
    "1.5 KB",
    "5.0 GB",
    "300 MB",
  ]);
});
