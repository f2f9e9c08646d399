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

test.each([
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
