import { expect, test } from "bun:test";
import type { JobRow, StepContext } from "../../../src/jobs/job.ts";
import { JobLog } from "../../../src/jobs/job-log.ts";
import type { DeploymentParts } from "../../../src/product/deployments/deployment-parts.ts";
import { drainJob } from "../../../src/product/deployments/drain-job.ts";
import { product } from "../../support/product.ts";

test("drainJob ends when the app it drains for was destroyed meanwhile", async () => {
  const { environments, instances } = await product();
  const runtimes = { usable: async () => ({ stop() {}, remove() {} }) };
  const parts = { environments, instances, runtimes } as unknown as DeploymentParts;
  const patch = await drainJob(parts).steps.stopping?.run({
    job: {} as JobRow,
    state: { environment_id: "gone", deployment_id: null, instances: ["gone"] },
    attempt: 1,
    signal: new AbortController().signal,
    log: new JobLog("/nonexistent/log"),
    progress() {},
  } satisfies StepContext<{ environment_id: string; deployment_id: null; instances: string[] }>);
  expect(patch?.next).toBe("pruning");
});
