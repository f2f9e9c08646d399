import { expect, test } from "bun:test";
import { EngineRefusal } from "../../../../src/engine/runtime/docker/engine-error.ts";
import { startRefusal } from "../../../../src/engine/runtime/docker/start-refusal.ts";
import type { DiploError } from "../../../../src/errors.ts";

const SPEC = { image: "diplo/blog:1", command: ["./server", "--token=s3cret"] };
const explain = (status: number, words: string) =>
  startRefusal(new EngineRefusal("start container", status, words), SPEC) as DiploError;

test("startRefusal explains what a person can mend", () => {
  expect(explain(404, "No such image: diplo/blog:1").code).toBe("image_not_found");
  expect(explain(400, "No command specified").code).toBe("no_start_command");
  const missing = explain(
    400,
    'OCI runtime create failed: runc create failed: exec: "./server": executable file not found in $PATH: unknown',
  );
  expect(missing.code).toBe("no_start_command");
  expect(missing.detail).toContain('"./server"');
  expect(missing.detail + missing.hint).not.toContain("s3cret");
});

test("startRefusal tells a taken container address from a taken port", () => {
  expect(explain(403, "Address already in use").code).toBe("address_taken");
  expect(explain(500, "listen tcp 127.0.0.1:80: bind: address already in use").code).toBe("engine_refused");
});

test("startRefusal leaves alone what it does not know", () => {
  const other = new Error("x");
  expect(startRefusal(other, SPEC)).toBe(other);
  expect(explain(500, "something else").code).toBe("engine_refused");
});
