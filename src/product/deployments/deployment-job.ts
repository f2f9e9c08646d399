import type { JobKind } from "../../jobs/job.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentState } from "./deployment-state.ts";
import { buildStep } from "./steps/build-step.ts";
import { fetchStep } from "./steps/fetch-step.ts";
import { planStep } from "./steps/plan-step.ts";
import { releaseStep } from "./steps/release-step.ts";
import { routeStep } from "./steps/route-step.ts";
import { startStep } from "./steps/start-step.ts";
import { unwindStep } from "./steps/unwind-step.ts";
import { verifyStep } from "./steps/verify-step.ts";

/** One attempt to make a release live (design.md §3). */
export function deploymentJob(parts: DeploymentParts): JobKind<DeploymentState> {
  return {
    name: "deployment",
    unwind: "unwinding",
    steps: {
      fetching: fetchStep(parts),
      planning: planStep(parts),
      building: buildStep(parts),
      releasing: releaseStep(parts),
      starting: startStep(parts),
      verifying: verifyStep(parts),
      routing: routeStep(parts),
      unwinding: unwindStep(parts),
    },
    ended: (job, outcome, error) => {
      parts.store.run(
        "update deployments set outcome = $outcome, error_code = $code, finished_at = $now where job_id = $jobId",
        {
          jobId: job.id,
          outcome: outcome === "succeeded" ? "live" : outcome,
          code: error?.code ?? null,
          now: Date.now(),
        },
      );
    },
  };
}
