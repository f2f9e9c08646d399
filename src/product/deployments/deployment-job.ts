import type { ErrorRecord, JobKind } from "../../jobs/job.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentState } from "./deployment-state.ts";
import { addWarning } from "./deployment-warnings.ts";
import { buildStep } from "./steps/build-step.ts";
import { fetchStep } from "./steps/fetch-step.ts";
import { clearStep, finishStep } from "./steps/finish-step.ts";
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
      finishing: finishStep(parts),
      clearing: clearStep(parts),
      unwinding: unwindStep(parts),
    },
    ended: (job, outcome, error) => {
      const { is_live = false, deployment_id } = JSON.parse(job.state) as DeploymentState;
      if (is_live && error) addWarning(parts, deployment_id, unfinished(error));
      parts.store.run(
        "update deployments set outcome = $outcome, error_code = $code, finished_at = $now where job_id = $jobId",
        {
          jobId: job.id,
          outcome: outcome === "succeeded" || is_live ? "live" : outcome,
          code: is_live ? null : (error?.code ?? null),
          now: Date.now(),
        },
      );
    },
  };
}

/** The release serves; what ended the job is told as what it is, a hook that did not come to its end. */
function unfinished(error: ErrorRecord): ErrorRecord {
  return {
    ...error,
    code: "post_deploy_failed",
    title: `the post_deploy command did not end: ${error.title}`,
    detail: `The post_deploy command did not come to its end: ${error.detail}. The release is live all the same.`,
  };
}
