import { expect, test } from "bun:test";
import { toRange } from "../../buildpacks/python/project.ts";
import {
  chooseVersion,
  defaultVersion,
  hasEnded,
  RUNTIMES,
  type Runtime,
  type RuntimeName,
  TABLE_DATE,
} from "../../buildpacks/runtime-versions.ts";

const names = Object.keys(RUNTIMES) as RuntimeName[];
const numbers = (line: string) => line.split(".").map(Number);
const newer = (a: string, b: string) =>
  numbers(a)[0]! - numbers(b)[0]! || (numbers(a)[1] ?? 0) - (numbers(b)[1] ?? 0);
const linesOf = (name: RuntimeName): Runtime["lines"] => RUNTIMES[name].lines;
const today = new Date().toISOString().slice(0, 10);

test.each(names)("the table of %s is whole: newest first, no line twice, dates, a source", (name) => {
  const lines = linesOf(name).map(({ line }) => line);
  expect(lines.toSorted((a, b) => newer(b, a))).toEqual(lines);
  expect(new Set(lines).size).toBe(lines.length);
  for (const { released, ends, long_term } of linesOf(name)) {
    for (const date of [released, ends, long_term])
      expect(date ?? "2000-01").toMatch(/^20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?$/);
    expect(released <= TABLE_DATE).toBe(true);
    expect(ends === null || released < ends).toBe(true);
  }
  expect(RUNTIMES[name].source).toMatch(/\w\.\w/);
  const { oldest_image }: Runtime = RUNTIMES[name];
  expect(oldest_image ?? lines.at(-1)).toBe(lines.at(-1));
});

test.each(names)("what a repository gets that says no version of %s is still mended today", (name) => {
  const { value } = defaultVersion(name);
  expect(hasEnded(name, value, today)).toBe(false);
  expect(chooseVersion(name, null).warnings).toEqual([]);
});

test("defaults are the newest long-term line, the newest that settled, or the newest", () => {
  expect(Object.fromEntries(names.map((name) => [name, defaultVersion(name).value]))).toEqual({
    node: "26",
    bun: "1",
    deno: "2",
    python: "3.14",
    go: "1.27",
    ruby: "3.4",
    php: "8.5",
    java: "25",
    dotnet: "10.0",
    elixir: "1.19",
    rust: "1",
  });
});

test.each(names)(
  "every line of %s is what its own version asks for, and an ended one is warned about",
  (name) => {
    for (const { line, ends } of linesOf(name)) {
      const { version, warnings } = chooseVersion(name, { range: line, from: "x" }, TABLE_DATE);
      expect(version).toEqual({ value: line, from: "x" });
      expect(warnings).toEqual(
        hasEnded(name, line, TABLE_DATE)
          ? [`${name} ${line} (x) has had no security releases since ${ends}.`]
          : [],
      );
    }
  },
);

test("a line ends with its last day, and a month with the last of the month", () => {
  expect(hasEnded("node", "20", "2026-04-30")).toBe(false);
  expect(hasEnded("node", "20", "2026-05-01")).toBe(true);
  expect(hasEnded("python", "3.11", "2027-10-31")).toBe(false);
  expect(hasEnded("python", "3.11", "2027-11-01")).toBe(true);
  expect(hasEnded("go", "1.99", "2099-01-01")).toBe(false);
});

test.each<[RuntimeName, string, string]>([
  ["python", "3.12.4", "3.12"],
  ["python", toRange(">=3.10"), "3.14"],
  ["python", toRange(">=3.10,<3.12"), "3.11"],
  ["python", toRange("~=3.11"), "3.14"],
  ["python", toRange("==3.12.*"), "3.12"],
  ["python", toRange("!=3.13.1,>=3.9"), "3.14"],
  ["python", "^3.11", "3.14"],
  ["python", "3", "3.14"],
  ["php", "^8.2.0", "8.5"],
  ["php", "~8.2.0", "8.2"],
  ["ruby", "~3.2.1", "3.2"],
  ["go", "1.23", "1.23"],
  ["go", "1.99", "1.99"],
  ["node", ">=14 <17", "16"],
  ["java", "21", "21"],
])("chooseVersion of %s takes %j for %s", (name, range, line) => {
  expect(chooseVersion(name, { range, from: "x" }).version.value).toBe(line);
});

test.each(["lts/-1", "lts/future"])("chooseVersion makes no number of nvm's %s", (range) => {
  const { version, warnings } = chooseVersion("node", { range, from: `.nvmrc: ${range}` });
  expect(version.value).toBe(defaultVersion("node").value);
  expect(warnings[0]).toContain("could not be read");
});

test("chooseVersion says when a wish is no version, and where its own choice comes from", () => {
  const { version, warnings } = chooseVersion("python", { range: "banana", from: "runtime.txt: banana" });
  expect(version.value).toBe(defaultVersion("python").value);
  expect(warnings[0]).toContain("runtime.txt: banana");
  expect(chooseVersion("go", null).version.from).toBe("newest line of go");
});
