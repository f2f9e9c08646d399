import { expect, test } from "bun:test";
import { engineTime, epochNanos } from "../../../../src/engine/runtime/docker/timestamps.ts";

test("epochNanos keeps nine digits", () => {
  expect(epochNanos("1970-01-01T00:00:01.000000002Z")).toBe(1_000_000_002n);
  expect(epochNanos("1970-01-01T01:00:01.5+01:00")).toBe(1_500_000_000n);
  expect(epochNanos("1970-01-01T00:00:01Z")).toBe(1_000_000_000n);
  expect(epochNanos("yesterday")).toBe(0n);
});

test("engineTime writes seconds and nanoseconds", () => {
  expect(engineTime("1970-01-01T00:00:09.000000042Z")).toBe("9.000000042");
});
