import { expect, test } from "bun:test";
import { commandOf, plainWords, quote, quoteEnv } from "../../../src/engine/build/quote.ts";

const HOSTILE = [
  "",
  "a b",
  "$(id)",
  "`id`",
  "a'b",
  `"`,
  "\\",
  "$HOME",
  "a;b",
  "a&&b",
  "*",
  "~",
  "-n",
  "ü",
  "!x",
  "#x",
  "a\tb",
];

test.each(HOSTILE)("quote makes %j one word of the shell", (value) => {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s|' ${quote(value)}`]);
  expect(stdout.toString()).toBe(`${value}|`);
});

test("quote and quoteEnv refuse what no line can hold", () => {
  for (const value of ["a\nb", "a\rb", "a\0b"]) {
    expect(() => quote(value)).toThrow();
    expect(() => quoteEnv(value)).toThrow();
  }
});

test("quoteEnv keeps the builder from expanding anything", () => {
  expect(quoteEnv('pa$$word "x" \\n')).toBe('"pa\\$\\$word \\"x\\" \\\\n"');
});

test.each([
  ["node server.js", ["node", "server.js"]],
  ["  next   start -p 3000 ", ["next", "start", "-p", "3000"]],
  [`node "my app.js" 'x y'`, ["node", "my app.js", "x y"]],
  ["node a=b", ["node", "a=b"]],
  ["gunicorn app:app --bind=0.0.0.0:8000", ["gunicorn", "app:app", "--bind=0.0.0.0:8000"]],
])("plainWords splits %j", (line, words) => {
  expect(plainWords(line)).toEqual(words);
});

test.each([
  "NODE_ENV=production node x",
  "node x && node y",
  "node $FILE",
  "node `pwd`",
  "node *.js",
  "node ~/x",
  "a | b",
  "a; b",
  "a > b",
  `node "a$b"`,
  `node a"b"`,
  "node 'a",
  "",
  "   ",
  "a & b",
  "(a)",
  "node # x",
  "a\\ b",
])("plainWords leaves %j to a shell", (line) => {
  expect(plainWords(line)).toBeNull();
  expect(commandOf(line)).toEqual(["sh", "-c", line]);
});
