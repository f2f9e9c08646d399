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

test("findVerb knows a verb without its noun, and what other tools call it", () => {
  const hint = (word: string): string | undefined => {
    try {
      return findVerb(verbs, [word]).verb.name;
    } catch (error) {
      return (error as { hint?: string }).hint;
    }
  };
  expect(hint("restart")).toBe("Did you mean: diplo ps:restart");
  expect(hint("scale")).toBe("Did you mean: diplo ps:scale");
  expect(hint("unset")).toBe("Did you mean: diplo config:unset");
  expect(hint("import")).toBe("Did you mean: diplo config:import");
  expect(hint("stop")).toBe("Did you mean: diplo ps:stop");
  expect(hint("set")).toContain("diplo apps:set, or diplo config:set");
  expect(hint("env")).toBe("Did you mean: diplo config");
  expect(hint("rm")).toBe("Did you mean: diplo apps:destroy");
});

test("findVerb tells which verb an argument is a slip for", () => {
  expect(findVerb(verbs, ["ps", "scal", "web=2"]).meant).toBe("ps:scale");
  expect(findVerb(verbs, ["apps", "crate", "shop"]).meant).toBe("apps:create");
  expect(findVerb(verbs, ["ps", "blog"]).meant).toBeUndefined();
});

test("allVerbs has each name once, each with a summary and an operation's verbs among them", () => {
  const names = verbs.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const verb of verbs) expect(verb.summary.length).toBeGreaterThan(5);
  for (const name of ["deploy", "rollback", "config:set", "login-link", "doctor", "tokens:create"])
    expect(names).toContain(name);
});

test("allVerbs has a help text for every flag that a person has to understand", () => {
  // What a verb's own line names in its place needs no text, nor does the name of a branch.
  const plain = new Set(["name", "release", "value", "mount-path", "process", "branch", "tag", "commit"]);
  const mute = verbs.flatMap(({ name, flags, usage }) =>
    flags
      .filter((flag) => flag.help === "" && !plain.has(flag.name) && !usage.includes(flag.name))
      .map((flag) => `${name} --${flag.name}`),
  );
  expect(mute).toEqual([]);
});
