import { expect, test } from "bun:test";
import { checkVar } from "../../../src/product/config/config-name.ts";

test("checkVar takes what a process can have", () => {
  for (const name of ["A", "_x", "a1_B"]) checkVar(name, "value");
  checkVar("BIG", "x".repeat(128 * 1024 - 10));
  checkVar("GONE", null);
});

test("checkVar refuses bad names, our own names, NUL bytes and what the kernel refuses", () => {
  for (const name of ["", "1A", "A-B", "A=B", "Ä", "A B"])
    expect(() => checkVar(name, "x")).toThrow("no name");
  expect(() => checkVar("__proto__", "x")).toThrow("cannot be a variable");
  expect(() => checkVar("PORT", "80")).toThrow("set by Diplo");
  expect(() => checkVar("DIPLO_APP", "x")).toThrow("Diplo's own");
  expect(() => checkVar("A", "a\0b")).toThrow("NUL");
  expect(() => checkVar("A", "x".repeat(128 * 1024))).toThrow("128 KiB");
});

test("checkVar never repeats a value", () => {
  expect(() => checkVar("A", "canary\0")).not.toThrow("canary");
});
