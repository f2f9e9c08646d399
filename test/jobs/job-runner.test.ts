import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiploError, PermanentError } from "../../src/errors.ts";
import { DONE, type JobKind } from "../../src/jobs/job.ts";
import { JobRunner, type JobRunnerOptions } from "../../src/jobs/job-runner.ts";
import { createLog } from "../../src/log.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

type State = { count: number };
const log = createLog("error", () => {});
let directory: string;
let store: Store;
let runner: JobRunner;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "diplo-jobs-"));
  store = await openStore({ file: join(directory, "t.db"), backups: directory, log });
  runner = make();
});
afterEach(async () => {
  await runner.stop();
  store.close();
  await rm(directory, { recursive: true, force: true });
});

function make(more: Partial<JobRunnerOptions> = {}): JobRunner {
  return new JobRunner({ store, events: { emit() {} }, log, logs: directory, settleMs: 50, ...more });
}

function kind(more: Partial<JobKind<State>>): JobKind<State> {
  return { name: "toy", steps: {}, ...more };
}

function enqueue(id: string, step: string, more = {}): void {
  runner.enqueue({
    id,
    kind: "toy",
    lane: "lane",
    subject: null,
    step,
    state: { count: 0 },
    createdBy: "test",
    ...more,
  });
}

/** A step's work that ends only when it is told to. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped"))),
  );
}

test("JobRunner runs steps in order and commits a step's writes with the move to the next", async () => {
  const seen: string[] = [];
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 5000,
          run: async ({ state }) => ({
            next: "two",
            state: { count: state.count + 1 },
            apply: () => {
              store.setSetting("one", "written");
              return undefined;
            },
          }),
        },
        two: {
          deadlineMs: 5000,
          run: async ({ state }) => {
            seen.push(`two saw ${state.count} and ${store.setting("one")}`);
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  expect((await runner.wait("a")).status).toBe("succeeded");
  expect(seen).toEqual(["two saw 1 and written"]);
  expect(runner.steps("a").map((s) => [s.step, s.outcome])).toEqual([
    ["one", "done"],
    ["two", "done"],
  ]);
});

test("JobRunner writes nothing of a step whose commit fails", async () => {
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 5000,
          attempts: 1,
          run: async () => ({
            next: DONE,
            apply: () => {
              store.setSetting("half", "written");
              throw new Error("the second write fails");
            },
          }),
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  await runner.stop();
  expect(store.setting("half")).toBeNull();
  expect(runner.get("a").step).toBe("one");
});

test("JobRunner fails a PermanentError at once, after unwinding", async () => {
  let unwound = 0;
  let ended = "";
  runner.register(
    kind({
      unwind: "undo",
      ended: (_job, outcome, error) => {
        ended = `${outcome} ${error?.code}`;
      },
      steps: {
        one: {
          deadlineMs: 5000,
          run: async () => {
            throw new PermanentError("nothing_detected", "no package.json");
          },
        },
        undo: {
          deadlineMs: 5000,
          run: async () => {
            unwound++;
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  const job = await runner.wait("a");
  expect(job.status).toBe("failed");
  expect(JSON.parse(job.error ?? "{}").code).toBe("nothing_detected");
  expect([unwound, ended]).toEqual([1, "failed nothing_detected"]);
});

test("JobRunner tries a passing fault again and then goes on", async () => {
  let tries = 0;
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 5000,
          run: async () => {
            if (++tries < 2) throw new DiploError("engine_down", "connection refused");
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  expect((await runner.wait("a")).status).toBe("succeeded");
  expect(tries).toBe(2);
  expect(runner.steps("a").map((s) => s.outcome)).toEqual(["retry", "done"]);
});

test("JobRunner aborts a step at its deadline and fails with the step's own error", async () => {
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 30,
          onDeadline: () => new PermanentError("build_timeout", "too slow"),
          run: ({ signal }) => untilAborted(signal),
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  const job = await runner.wait("a");
  expect(JSON.parse(job.error ?? "{}").code).toBe("build_timeout");
});

test("JobRunner leaves a step behind that does not listen to its abort", async () => {
  runner.register(kind({ steps: { one: { deadlineMs: 20, run: () => new Promise(() => {}) } } }));
  runner.start();
  enqueue("a", "one");
  const job = await runner.wait("a");
  expect(JSON.parse(job.error ?? "{}").code).toBe("step_timeout");
});

test("JobRunner.cancel stops the running step, unwinds and ends as cancelled", async () => {
  const order: string[] = [];
  const running = Promise.withResolvers<void>();
  runner.register(
    kind({
      unwind: "undo",
      steps: {
        one: {
          deadlineMs: 5000,
          run: ({ signal }) => {
            running.resolve();
            return untilAborted(signal).finally(() => order.push("aborted"));
          },
        },
        undo: {
          deadlineMs: 5000,
          run: async ({ signal }) => {
            order.push(`undo ${signal.aborted}`);
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  await running.promise;
  runner.cancel("a", "changed my mind");
  expect((await runner.wait("a")).status).toBe("cancelled");
  expect(order).toEqual(["aborted", "undo false"]);
  expect(() => runner.cancel("a", "again")).toThrow("already");
});

test("JobRunner runs one job of a lane at a time, oldest first, and other lanes beside it", async () => {
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 5000,
          run: async ({ job }) => {
            order.push(job.id);
            if (job.id === "a") await gate.promise;
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  enqueue("b", "one");
  enqueue("c", "one", { lane: "other" });
  await runner.wait("c");
  expect(order).toEqual(["a", "c"]);
  gate.resolve();
  await runner.wait("b");
  expect(order).toEqual(["a", "c", "b"]);
});

test("JobRunner.enqueue supersedes queued jobs of the lane that never ran", async () => {
  const gate = Promise.withResolvers<void>();
  runner.register(
    kind({
      steps: {
        one: {
          deadlineMs: 5000,
          run: async () => {
            await gate.promise;
            return { next: DONE };
          },
        },
      },
    }),
  );
  runner.start();
  enqueue("a", "one");
  await Bun.sleep(0);
  enqueue("b", "one", { supersede: true });
  enqueue("c", "one", { supersede: true });
  expect(runner.get("b").status).toBe("superseded");
  gate.resolve();
  expect([(await runner.wait("a")).status, (await runner.wait("c")).status]).toEqual([
    "succeeded",
    "succeeded",
  ]);
});

test("JobRunner.stop interrupts a step without failing it, and the next start goes on from there", async () => {
  const running = Promise.withResolvers<void>();
  let block = true;
  const toy = kind({
    steps: {
      one: {
        deadlineMs: 5000,
        run: async ({ state }) => ({ next: "two", state: { count: state.count + 1 } }),
      },
      two: {
        deadlineMs: 5000,
        run: ({ signal, state }) => {
          if (!block) return Promise.resolve({ next: DONE, state: { count: state.count + 10 } });
          running.resolve();
          return untilAborted(signal);
        },
      },
    },
  });
  runner.register(toy);
  runner.start();
  enqueue("a", "one");
  await running.promise;
  await runner.stop();
  expect(runner.get("a")).toMatchObject({ status: "queued", step: "two" });
  block = false;
  runner = make();
  runner.register(toy);
  runner.start();
  expect(JSON.parse((await runner.wait("a")).state)).toEqual({ count: 11 });
});

test("JobRunner.stop does not wait for the undoing of what was cancelled just before; the next start undoes it", async () => {
  const running = Promise.withResolvers<void>();
  const undone: string[] = [];
  const toy = kind({
    unwind: "undo",
    steps: {
      one: {
        deadlineMs: 5000,
        run: ({ signal }) => {
          running.resolve();
          return untilAborted(signal);
        },
      },
      undo: {
        deadlineMs: 5000,
        run: async ({ signal }) => {
          undone.push(signal.aborted ? "told to stop" : "in peace");
          signal.throwIfAborted();
          return { next: DONE };
        },
      },
    },
  });
  runner.register(toy);
  runner.start();
  enqueue("a", "one");
  await running.promise;
  runner.cancel("a", "not wanted");
  await runner.stop();
  expect(undone).not.toContain("in peace");
  runner = make();
  runner.register(toy);
  runner.start();
  expect((await runner.wait("a")).status).toBe("cancelled");
  expect(undone.at(-1)).toBe("in peace");
});

for (const when of ["before any step's commit", "during the unwinding"] as const)
  test(`JobRunner killed with SIGKILL ${when} lands in the same place`, async () => {
    const file = join(directory, "kill.db");
    const out = join(directory, "out");
    // Each run dies at the next commit it meets; without progress this would never end.
    for (let crash = 0; ; crash++) {
      if (crash > 12) throw new Error("no progress");
      const child = Bun.spawn(
        [
          process.execPath,
          join(import.meta.dir, "toy-daemon.ts"),
          file,
          out,
          String(crash),
          when === "during the unwinding" ? "fail" : "go",
        ],
        {
          stdout: "inherit",
          stderr: "inherit",
        },
      );
      await child.exited;
      if (child.signalCode !== "SIGKILL") {
        expect(child.exitCode).toBe(0);
        break;
      }
    }
    const lines = (await readFile(out, "utf8")).trim().split("\n");
    // Side effects may repeat, but never run out of order, and each was seen at least once.
    const expected = when === "during the unwinding" ? ["one", "two", "undo"] : ["one", "two", "three"];
    expect(lines.filter((line, i) => line !== lines[i - 1])).toEqual(expected);
    expect(lines.length).toBeGreaterThan(expected.length);
  });

test("JobRunner lets jobs that only wait take no place from those that work", async () => {
  runner = make({ concurrency: 1 });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const wait = { deadlineMs: 5000, run: () => released.then(() => ({ next: DONE })) };
  runner.register(kind({ waits: true, steps: { wait } }));
  runner.register(
    kind({ name: "work", steps: { one: { deadlineMs: 5000, run: async () => ({ next: DONE }) } } }),
  );
  for (const id of ["a", "b"]) enqueue(id, "wait", { lane: id });
  enqueue("c", "one", { kind: "work", lane: "c" });
  runner.start();
  expect((await runner.wait("c", AbortSignal.timeout(5000))).status).toBe("succeeded");
  expect([runner.get("a").status, runner.get("b").status]).toEqual(["running", "running"]);
  release();
  await Promise.all([runner.wait("a"), runner.wait("b")]);
});

test("JobRunner tries a late step again when its lateness is no permanent error, and late undoing always", async () => {
  let tries = 0;
  let undone = 0;
  const late = (again: number) => (signal: AbortSignal) =>
    again > 0
      ? new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
      : null;
  runner.register(
    kind({
      unwind: "undo",
      steps: {
        slow: {
          deadlineMs: 20,
          onDeadline: () => new DiploError("step_timeout", "late"),
          run: async ({ signal }) => {
            await late(1 - tries++)(signal);
            throw new PermanentError("planned", "planned");
          },
        },
        undo: {
          deadlineMs: 20,
          run: async ({ signal }) => {
            await late(1 - undone++)(signal);
            return { next: DONE };
          },
        },
      },
    }),
  );
  enqueue("job", "slow");
  runner.start();
  const { status, error } = await runner.wait("job");
  expect([status, JSON.parse(error ?? "{}").code, tries, undone]).toEqual(["failed", "planned", 2, 2]);
});
