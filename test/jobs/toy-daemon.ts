import { appendFileSync } from "node:fs";
import { dirname } from "node:path";
import { PermanentError } from "../../src/errors.ts";
import { DONE } from "../../src/jobs/job.ts";
import { JobRunner } from "../../src/jobs/job-runner.ts";
import { createLog } from "../../src/log.ts";
import { openStore } from "../../src/store/open.ts";

/** A daemon that dies at its first commit when `crash` is even, and lives when it is odd until the commit after. */
const [file = "", out = "", crash = "0", mode = "go"] = process.argv.slice(2);
const log = createLog("error");
const store = await openStore({ file, backups: dirname(file), log });
let commits = 0;
const runner = new JobRunner({
  store,
  events: { emit() {} },
  log,
  logs: dirname(file),
  beforeCommit: (job) => {
    if (Number(crash) < 8 && commits++ === Number(crash) % 2) {
      process.kill(process.pid, "SIGKILL");
      throw new Error(`survived at ${job.step}`);
    }
  },
});
const effect = (name: string) => appendFileSync(out, `${name}\n`);
const step = (name: string, next: string) => ({
  deadlineMs: 5000,
  run: async () => {
    effect(name);
    return { next };
  },
});
runner.register({
  name: "toy",
  unwind: "undo",
  steps: {
    one: step("one", "two"),
    two: {
      deadlineMs: 5000,
      run: async () => {
        effect("two");
        if (mode === "fail") throw new PermanentError("planned", "planned");
        return { next: "three" };
      },
    },
    three: step("three", DONE),
    undo: step("undo", DONE),
  },
});
if (!store.get("select 1 from jobs"))
  runner.enqueue({
    id: "job",
    kind: "toy",
    lane: "x",
    subject: null,
    step: "one",
    state: {},
    createdBy: "test",
  });
runner.start();
await runner.wait("job");
await runner.stop();
store.close();
