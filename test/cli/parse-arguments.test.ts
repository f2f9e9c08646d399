import { describe, expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import { flagsOf } from "../../src/cli/flag-spec.ts";
import { APP, flag } from "../../src/cli/flags.ts";
import { parseArguments } from "../../src/cli/parse-arguments.ts";

const specs = [
  APP,
  flag("lines", "integer", "", { short: "n" }),
  flag("json", "boolean", ""),
  flag("env", "pairs", "", { short: "e" }),
  flag("scopes", "list", ""),
  flag("name", "text", ""),
  ...flagsOf(
    t.Object({
      health: t.Partial(t.Object({ start_deadline_s: t.Integer(), path: t.String() })),
      cpus: t.Union([t.Number(), t.Null()]),
      strategy: t.Union([t.Literal("rolling"), t.Literal("recreate")]),
      release: t.Optional(t.Integer()),
    }),
  ),
];

describe("parseArguments reads", () => {
  const cases: [string[], Record<string, unknown>, string[]?, string[]?][] = [
    [["-a", "blog"], { app: "blog" }],
    [["-ablog"], { app: "blog" }],
    [["-a=blog"], { app: "blog" }],
    [["--app=blog", "web"], { app: "blog" }, ["web"]],
    [["--name", ""], { name: "" }],
    [["--name=--odd"], { name: "--odd" }],
    [["--name", "a=b\nc"], { name: "a=b\nc" }],
    [["-n20"], { lines: 20 }],
    [["--json"], { json: true }],
    [["--no-json"], { json: false }],
    [["--json=no"], { json: false }],
    [
      ["--health.path", "/up", "--health.start_deadline_s", "9"],
      { "health.path": "/up", "health.start-deadline-s": 9 },
    ],
    [["--cpus", "0.5"], { cpus: 0.5 }],
    [["--cpus", "none"], { cpus: null }],
    [["--strategy", "recreate"], { strategy: "recreate" }],
    [["--release", "v3"], { release: 3 }],
    [["-e", "A=1", "--env", "B=x=y", "-e", "C="], { env: ["A=1", "B=x=y", "C="] }],
    [["--scopes", "read,deploy", "--scopes=run"], { scopes: ["read", "deploy", "run"] }],
    [["a", "--json", "b", "-"], { json: true }, ["a", "b", "-"]],
    [["a", "--", "--json", "-a"], {}, ["a"], ["--json", "-a"]],
  ];
  for (const [argv, flags, positionals = [], rest = []] of cases)
    test(argv.join(" "), () => {
      const found = parseArguments(argv, specs);
      expect(Object.fromEntries(found.flags)).toEqual(flags as never);
      expect(found).toMatchObject({ positionals, rest });
    });
});

describe("parseArguments refuses", () => {
  const cases: [string[], string][] = [
    [["--jsom"], "unknown flag --jsom"],
    [["-z"], "unknown flag -z"],
    [["--app"], "--app wants a value"],
    [["--app", "--json"], "--app wants a value"],
    [["-n", "many"], "must be a whole number"],
    [["-n", "1.5"], "must be a whole number"],
    [["--strategy", "blue"], "must be rolling or recreate"],
    [["--env", "NOVALUE"], "wants NAME=value"],
    [["--no-json=1"], "takes no value"],
    [["--json=maybe"], "must be true or false"],
  ];
  for (const [argv, message] of cases)
    test(argv.join(" "), () => expect(() => parseArguments(argv, specs)).toThrow(message));

  test("a slip with the nearest flag as the hint", () => {
    expect(() => parseArguments(["--jsno"], specs)).toThrow(
      expect.objectContaining({ hint: "Did you mean --json?" }),
    );
  });
});

test("parseArguments leaves a command of the person's alone after its first word", () => {
  const found = parseArguments(["-a", "blog", "ls", "--json", "-a"], specs, { passThrough: true });
  expect(found.rest).toEqual(["ls", "--json", "-a"]);
  expect(Object.fromEntries(found.flags)).toEqual({ app: "blog" });
});
