import { expect, test } from "bun:test";
import { cutLine, LogLines } from "../../../../src/engine/runtime/docker/log-lines.ts";

const AT = "2026-11-21T08:14:39.000727038Z";
const LATER = "2026-11-21T08:14:39.000727039Z";
const frame = (stream: "stdout" | "stderr", bytes: string | Uint8Array) => ({
  stream,
  payload: Buffer.from(bytes),
});

test("LogLines takes the stamp off and keeps streams apart", () => {
  const lines = new LogLines();
  expect([...lines.push(frame("stdout", `${AT} hi\n`))]).toEqual([{ at: AT, stream: "stdout", text: "hi" }]);
  expect([
    ...lines.push(frame("stdout", `${AT} half`)),
    ...lines.push(frame("stderr", `${AT} other\n`)),
  ]).toEqual([{ at: AT, stream: "stderr", text: "other" }]);
  expect([...lines.push(frame("stdout", `${AT}  a line\n`))]).toEqual([
    { at: AT, stream: "stdout", text: "half a line" },
  ]);
});

test("LogLines yields empty lines and lines that look like nothing but a stamp", () => {
  const lines = new LogLines();
  expect([...lines.push(frame("stdout", `${AT} \n${AT} ${AT}\n`))].map((line) => line.text)).toEqual([
    "",
    AT,
  ]);
});

test("LogLines joins a character that a frame's border cut in two", () => {
  const lines = new LogLines();
  const euro = Buffer.from("€");
  const first = Buffer.concat([Buffer.from(`${AT} 5 `), euro.subarray(0, 1)]);
  const rest = Buffer.concat([Buffer.from(`${AT} `), euro.subarray(1), Buffer.from("\n")]);
  expect([...lines.push(frame("stdout", first)), ...lines.push(frame("stdout", rest))][0]?.text).toBe("5 €");
});

test("LogLines ends a cut line at its short last piece, though the engine forgot the newline", () => {
  const lines = new LogLines();
  const long = "x".repeat(16_384);
  const texts = [`${AT} ${long}`, `${AT} end`, `${LATER} next\n`].flatMap((text) => [
    ...lines.push(frame("stdout", text)),
  ]);
  expect(texts.map((line) => line.text)).toEqual([`${long}end`, "next"]);
});

test("LogLines ends a line when the next stamp differs, were its last piece full", () => {
  const lines = new LogLines();
  const long = "x".repeat(16_384);
  const texts = [`${AT} ${long}`, `${AT} ${long}`, `${LATER} next\n`].flatMap((text) => [
    ...lines.push(frame("stdout", text)),
  ]);
  expect(texts.map((line) => [line.at, line.text.length])).toEqual([
    [AT, 32_768],
    [LATER, 4],
  ]);
});

test("LogLines cuts a line at 64 KB and goes on with the next", () => {
  const lines = new LogLines();
  const found = [];
  for (let piece = 0; piece < 20; piece++)
    found.push(...lines.push(frame("stdout", `${AT} ${"x".repeat(16_384)}`)));
  found.push(
    ...lines.push(frame("stdout", `${AT} end\n`)),
    ...lines.push(frame("stdout", `${LATER} next\n`)),
  );
  expect(found.map((line) => line.text.length)).toEqual([65_537, 4]);
  expect(found[0]?.text.endsWith("x…")).toBe(true);
});

test("LogLines.end yields what never got its newline", () => {
  const lines = new LogLines();
  expect([...lines.push(frame("stderr", `${AT} dying wor`))]).toEqual([]);
  expect([...lines.end()]).toEqual([{ at: AT, stream: "stderr", text: "dying wor" }]);
  expect([...lines.end()]).toEqual([]);
});

test("cutLine never leaves half a character", () => {
  expect(cutLine(Buffer.from("aä"), 2)).toBe("a…");
  expect(cutLine(Buffer.from("aä"), 3)).toBe("aä");
});
