import { expect, test } from "bun:test";
import { safePattern } from "../../../src/engine/build/safe-pattern.ts";

const PATTERNS = [
  "[a-z]+",
  "^https?://[^/ ]+(/.*)?$",
  "a|bc|",
  "(ab|cd)*e?",
  "\\d{3}-\\d{2,}",
  "x{0,2}y{2}",
  ".+@.+\\..+",
  "[\\w.-]+?",
  "a\\.b\\$",
  "(?:(a|b)(c|d)){1,2}",
  "[^\\]a]*",
  "(|a)+",
  "\\u00e4+",
  "((a*)*)*b",
  "",
];
const VALUES = [
  "",
  "a",
  "ab",
  "abc",
  "bc",
  "abab",
  "cdabe",
  "e",
  "aXb",
  "a.b$",
  "a.b",
  "123-45",
  "123-4",
  "yy",
  "xyy",
  "xxyy",
  "xxxyy",
  "https://a.b/c d",
  "http://x",
  "ftp://x",
  "me@x.de",
  "me@x",
  "acbd",
  "ac",
  "acbdac",
  "]",
  "ä",
  "ää",
  "\n",
  "aaab",
  "😀",
];

test("safePattern decides as the engine's own matching of whole values does", () => {
  for (const source of PATTERNS) {
    const own = new RegExp(`^(?:${source.replace(/^\^|\$$/g, source.endsWith("\\$") ? "$&" : "")})$`, "su");
    const fits = safePattern(source);
    for (const value of VALUES)
      expect([source, value, fits(value)]).toEqual([source, value, own.test(value)]);
  }
});

test.each([
  ["(?=a)b", "(?=a is not supported"],
  ["(?<!a)b", "(?<! is not supported"],
  ["(a)\\1", "\\1 is not supported"],
  ["a**", "* stands where it means nothing"],
  ["(a", "a bracket is not closed"],
  ["a)", '")" stands where nothing may'],
  ["[a", "[ stands where it means nothing"],
  ["a{3,1}", "{3,1} counts backwards"],
  ["a^b", "^ stands where it means nothing"],
  ["((a{99}){99}){99}", "it counts too far"],
  ["a{1}".repeat(126), "it is longer than 500 characters"],
])("safePattern refuses %s", (source, message) => {
  expect(() => safePattern(source)).toThrow(message);
});

test("safePattern takes no time for patterns made to take for ever", () => {
  const begun = performance.now();
  for (const source of ["(a+)+$", "((a*)*)*b", "(a|a)*c", "(.*)*x", "(a?){99}a{99}"])
    expect(safePattern(source)(`${"a".repeat(4000)}!`)).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2000);
});
