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

test("startRefusal does not blame the command for what the engine itself lacks", () => {
  const cgroup =
    "crun: creating cgroup directory `/sys/fs/cgroup/x`: No such file or directory: OCI runtime attempted to invoke a command that was not found";
  expect(explain(500, cgroup).code).toBe("engine_refused");
  expect(explain(500, 'lookup init binary: exec: "catatonit": executable file not found in $PATH').code).toBe(
    "runtime_unavailable",
  );
  expect(explain(500, "crun: executable file `./server` not found: No such file or directory").code).toBe(
    "no_start_command",
  );
});

test("startRefusal leaves alone what it does not know", () => {
  const other = new Error("x");
  expect(startRefusal(other, SPEC)).toBe(other);
  expect(explain(500, "something else").code).toBe("engine_refused");
});
