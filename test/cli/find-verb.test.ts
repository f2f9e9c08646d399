import { expect, test } from "bun:test";
import { findVerb } from "../../src/cli/find-verb.ts";
import { allVerbs } from "../../src/cli/verbs.ts";

const verbs = allVerbs();
const found = (...argv: string[]) => {
  const { verb, rest } = findVerb(verbs, argv);
  return [verb.name, ...rest];
};

test("findVerb takes the colon form and the space form", () => {
  expect(found("apps:create", "shop")).toEqual(["apps:create", "shop"]);
  expect(found("apps", "create", "shop")).toEqual(["apps:create", "shop"]);
  expect(found("ps", "scale", "web=3")).toEqual(["ps:scale", "web=3"]);
});

test("findVerb leaves a second word that makes no verb as an argument", () => {
  expect(found("ps", "blog")).toEqual(["ps", "blog"]);
  expect(found("releases", "-a", "info")).toEqual(["releases", "-a", "info"]);
});

test("findVerb suggests the nearest verb for a slip, and lists a group's verbs", () => {
  const hint = (...argv: string[]): string => {
    try {
      return findVerb(verbs, argv).verb.name;
    } catch (error) {
      return `${(error as Error).message} ${(error as { hint?: string }).hint ?? ""}`;
    }
  };
  expect(hint("deplyo", ".")).toContain("Did you mean: diplo deploy");
  expect(hint("apps:destory", "x")).toContain("Did you mean: diplo apps:destroy");
  expect(hint("system")).toContain("system:info, system:stats");
  expect(hint("frobnicate")).toContain("diplo help");
});

test("allVerbs has each name once, each with a summary and an operation's verbs among them", () => {
  const names = verbs.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const verb of verbs) expect(verb.summary.length).toBeGreaterThan(5);
  for (const name of ["deploy", "rollback", "config:set", "login-link", "doctor", "tokens:create"])
    expect(names).toContain(name);
});
