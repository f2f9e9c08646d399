import { expect, test } from "bun:test";
import { toRange } from "../../buildpacks/python/project.ts";
import {
  chooseVersion,
  RUNTIMES,
  type RuntimeLines,
  type RuntimeName,
} from "../../buildpacks/runtime-versions.ts";

const names = Object.keys(RUNTIMES) as RuntimeName[];
const numbers = (line: string) => line.split(".").map(Number);
const newer = (a: string, b: string) =>
  numbers(a)[0]! - numbers(b)[0]! || (numbers(a)[1] ?? 0) - (numbers(b)[1] ?? 0);

test.each(names)("the table of %s is complete: newest first, no line twice, a supported default", (name) => {
  const { lines, ended, newest }: RuntimeLines = RUNTIMES[name];
  expect(lines).toContain(newest);
  expect([...lines, ...ended].toSorted((a, b) => newer(b, a))).toEqual([...lines, ...ended]);
  expect(new Set([...lines, ...ended]).size).toBe(lines.length + ended.length);
});

test.each(names)(
  "every line of %s is what its own version asks for, and an ended one is warned about",
  (name) => {
    const { lines, ended }: RuntimeLines = RUNTIMES[name];
    for (const line of [...lines, ...ended]) {
      const { version, warnings } = chooseVersion(name, { range: line, from: "x" });
      expect(version).toEqual({ value: line, from: "x" });
      expect(warnings.length).toBe(ended.includes(line) ? 1 : 0);
    }
  },
);

test.each<[RuntimeName, string, string]>([
  ["python", "3.12.4", "3.12"],
  ["python", toRange(">=3.10"), "3.13"],
  ["python", toRange(">=3.10,<3.12"), "3.11"],
  ["python", toRange("~=3.11"), "3.13"],
  ["python", toRange("==3.12.*"), "3.12"],
  ["python", toRange("!=3.13.1,>=3.9"), "3.13"],
  ["python", "^3.11", "3.13"],
  ["python", "3", "3.14"],
  ["php", "^8.2.0", "8.4"],
  ["php", "~8.2.0", "8.2"],
  ["ruby", "~3.2.1", "3.2"],
  ["go", "1.23", "1.23"],
  ["go", "1.99", "1.99"],
  ["node", ">=14 <17", "16"],
  ["java", "21", "21"],
])("chooseVersion of %s takes %j for %s", (name, range, line) => {
  expect(chooseVersion(name, { range, from: "x" }).version.value).toBe(line);
});

test("chooseVersion says when a wish is no version, and where its own choice comes from", () => {
  const { version, warnings } = chooseVersion("python", { range: "banana", from: "runtime.txt: banana" });
  expect(version.value).toBe(RUNTIMES.python.newest);
  expect(warnings[0]).toContain("runtime.txt: banana");
  expect(chooseVersion("go", null).version.from).toContain("newest");
});
