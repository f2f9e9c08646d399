import { expect, test } from "bun:test";
import { parseProcfile } from "../../../src/engine/build/procfile.ts";

test("parseProcfile reads names and commands in order, whatever the line ends and comments", () => {
  const text =
    "\uFEFF# comment\r\nweb: node server.js --x=a:b\r\n\n  worker_2 :  sh -c 'a: b' # kept\nrelease:\tmigrate";
  expect([...parseProcfile(text)]).toEqual([
    ["web", "node server.js --x=a:b"],
    ["worker_2", "sh -c 'a: b' # kept"],
    ["release", "migrate"],
  ]);
  expect(parseProcfile("").size).toBe(0);
});

test("parseProcfile takes unusual whitespace, old line ends and names as long as may be", () => {
  const name = `w${"-".repeat(29)}`;
  const text = `\tweb\t:\tnode  a.js \t\r#web: no\r \u00a0 \n${name}:x\n   # web: no\n`;
  expect([...parseProcfile(text)]).toEqual([
    ["web", "node  a.js"],
    [name, "x"],
  ]);
});

test("parseProcfile keeps a command as it was written, and says the line that is wrong", () => {
  const line = `sh -c 'echo "$PORT" | tee /tmp/x' && exec a --b="c:d" # e`;
  expect(parseProcfile(`web: ${line}`).get("web")).toBe(line);
  expect(() => parseProcfile("# one\r\n\r\nweb: a\r\nweb: b")).toThrow("Procfile line 4");
  expect(() => parseProcfile(`${"x".repeat(500)}\u001b[2J`)).toThrow(/^\P{Cc}{1,120}$/u);
});

test.each([
  ["web: ", 'process "web" has no command'],
  ["web: \u001b[2J", "control characters"],
  ["1web: x", "is not a process name"],
  [": x", "is not a process name"],
  ["web worker: x", "is not a process name"],
  ["web", "Procfile line 1"],
  ["web:", 'process "web" has no command'],
  ["\nWeb: x", "Procfile line 2"],
  ["-x: y", "is not a process name"],
  ["../x: y", "is not a process name"],
  ["web: a\nweb: b", "stands there twice"],
  ["web: a\u0000b", "control characters"],
  [`${"w".repeat(31)}: x`, "is not a process name"],
  ["web$(id): x", "is not a process name"],
])("parseProcfile refuses %j", (text, message) => {
  expect(() => parseProcfile(text)).toThrow(message);
});
