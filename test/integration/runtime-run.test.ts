import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { RunRequest } from "../../src/engine/runtime/container-runtime.ts";
import { codeOf, runtimeBox } from "./runtime-box.ts";

setDefaultTimeout(60_000);
const { runtime, spec } = await runtimeBox();

function request(name: string, script: string, changes: Partial<RunRequest> = {}) {
  const output = { stdout: "", stderr: "" };
  const made: RunRequest = {
    spec: { ...spec(name, script), address: null },
    tty: false,
    stdin: null,
    onOutput: (chunk, stream) => {
      output[stream] += Buffer.from(chunk).toString();
    },
    deadline_ms: 30_000,
    ...changes,
  };
  return { made, output };
}

const never = new AbortController().signal;

describe("run", () => {
  test("answers the exit code, keeps the streams apart, leaves nothing behind", async () => {
    const { made, output } = request("plain", "echo out; echo err >&2; exit 3");
    expect(await runtime.run(made, never)).toEqual({ exit_code: 3, oom_killed: false });
    expect(output).toEqual({ stdout: "out\n", stderr: "err\n" });
    expect(await runtime.inspect(made.spec.name)).toBeNull();
  });

  test("stdin reaches the program to its end", async () => {
    const text = "line\n".repeat(50_000);
    const { made, output } = request("stdin", "wc -c", { stdin: new Blob([text]).stream() });
    expect((await runtime.run(made, never)).exit_code).toBe(0);
    expect(output.stdout.trim()).toBe(String(text.length));
  });

  test("a terminal when asked for", async () => {
    const { made, output } = request("tty", "test -t 0 && test -t 1 && echo terminal", {
      tty: true,
      stdin: new ReadableStream(),
    });
    expect((await runtime.run(made, never)).exit_code).toBe(0);
    expect(output.stdout).toBe("terminal\r\n");
  });

  test("all of a large output arrives, also of a program that ends at once", async () => {
    const { made, output } = request("large", "seq 1 200000");
    await runtime.run(made, never);
    expect(output.stdout.length).toBe(1_288_895);
  });

  test("aborting kills and removes it", async () => {
    const { made } = request("abort", "trap '' TERM; sleep 600");
    const began = performance.now();
    expect(await codeOf(runtime.run(made, AbortSignal.timeout(1_500)))).not.toBeNull();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await runtime.inspect(made.spec.name)).toBeNull();
  });

  test("the deadline is run_timeout, and leaves nothing behind", async () => {
    const { made } = request("deadline", "sleep 600", { deadline_ms: 1_500 });
    expect(await codeOf(runtime.run(made, never))).toBe("run_timeout");
    expect(await runtime.inspect(made.spec.name)).toBeNull();
  });

  test("takes the place of one that an earlier attempt left behind", async () => {
    const { made, output } = request("again", "echo second");
    await runtime.start({ ...made.spec, ...spec("again", "sleep 60"), name: made.spec.name });
    expect((await runtime.run(made, never)).exit_code).toBe(0);
    expect(output.stdout).toBe("second\n");
  });

  test("a command that does not exist ends with the shell's code for that", async () => {
    const { made, output } = request("missing", "");
    made.spec.command = ["/nosuch"];
    expect((await runtime.run(made, never)).exit_code).toBe(127);
    expect(output.stderr).toContain("/nosuch");
  });

  test("one that takes more memory than it may is told apart", async () => {
    const { made } = request("greedy", `exec awk 'BEGIN { s = "x"; while (1) s = s s }'`);
    made.spec.limits = { memory_bytes: 16 << 20, cpus: null, pids: 50 };
    expect(await runtime.run(made, never)).toEqual({ exit_code: 137, oom_killed: true });
  });
});
