import { expect, test } from "bun:test";
import { formatDotenv, parseDotenv } from "../../../src/product/config/dotenv.ts";

const parse = (text: string) => Object.fromEntries(parseDotenv(text));

test("parseDotenv reads plain, quoted, exported and commented lines", () => {
  expect(
    parse(
      `# a comment\n\nA=1\nexport B = two words # not this\nC='#literal $x \\n'\nD="line\\nbreak \\"q\\" \\$x" # c\nE=\n`,
    ),
  ).toEqual({ A: "1", B: "two words", C: "#literal $x \\n", D: 'line\nbreak "q" $x', E: "" });
});

test("parseDotenv keeps dollars and reads quotes over several lines", () => {
  expect(parse(`P=pa$$word\nK="-----BEGIN\nabc\n-----END"\nS='a\nb'`)).toEqual({
    P: "pa$$word",
    K: "-----BEGIN\nabc\n-----END",
    S: "a\nb",
  });
});

test("parseDotenv takes CRLF files and a byte order mark", () => {
  expect(parse("\uFEFFA=1\r\nB=2\r\n")).toEqual({ A: "1", B: "2" });
});

test("parseDotenv names the line that is wrong, and never its content", () => {
  expect(() => parse("A=1\nsecret stuff\n")).toThrow("line 2 is not NAME=value");
  expect(() => parse("A=1\nsecret stuff\n")).not.toThrow("secret");
  expect(() => parse('A=1\nB="open\n')).toThrow("line 2 is not closed");
});

test("formatDotenv writes what parseDotenv reads back byte for byte", () => {
  const values: [string, string][] = [
    ["PLAIN", "abc/1.2:3"],
    ["EMPTY", ""],
    ["SPACES", " lead and trail "],
    ["QUOTES", `'"\\\`$`],
    ["LINES", "a\nb\r\nc\rd"],
    ["HASH", "a #b"],
    ["UNICODE", "ü🚀"],
    ["BACKSLASH_N", "\\n"],
  ];
  expect([...parseDotenv(formatDotenv(values))]).toEqual(values);
});
