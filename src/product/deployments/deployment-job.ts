import { ulid } from "ulid";
import { conflict } from "../../errors.ts";
import type { ErrorRecord, JobKind } from "../../jobs/job.ts";
import { laneOf } from "../environments/environment-lane.ts";
import type { Environment } from "../environments/environments.ts";
import { enqueueWake } from "../sleep/wake-job.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentRequest, DeploymentState, Trigger } from "./deployment-state.ts";
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

/**
 * Writes the deployment and its job; queued ones of the environment that never ran are superseded. Answers its id.
 * Throws `app_destroying`.
 */
export function enqueueDeployment(
  parts: Pick<DeploymentParts, "store" | "jobs" | "environments" | "instances">,
  environment: Environment,
  by: string,
  { supersede = true, ...asked }: Partial<DeploymentRequest> & { trigger: Trigger; supersede?: boolean },
): string {
  const { store, jobs, environments } = parts;
  // Asked for anew: it may have been looked up before a wait.
  if (environments.byId(environment.id).destroying)
    throw conflict("app_destroying", `${environment.app} is being destroyed`);
  const request: DeploymentRequest = {
    source: null,
    from_release_id: null,
    fresh: false,
    clear_cache: false,
    ...asked,
  };
  // Whatever changes an app wakes it first: then the old release serves until the new one does, as with any other.
  enqueueWake(parts, environment, by);
  const id = ulid();
  const state: DeploymentState = { deployment_id: id, environment_id: environment.id, request, by };
  store.transaction(() => {
    if (request.trigger !== "config") environments.setDesired(environment.id, "running");
    jobs.enqueue({
      id,
      kind: "deployment",
      lane: laneOf(environment.id),
      subject: environment.app_id,
      step: request.source === null ? "releasing" : "fetching",
      state,
      createdBy: by,
      supersede,
    });
    store.run(
      `insert into deployments (id, environment_id, job_id, trigger, created_by, request, created_at)
       values ($id, $environmentId, $id, $trigger, $by, $request, $now)`,
      {
        id,
        environmentId: environment.id,
        trigger: request.trigger,
        by,
        request: JSON.stringify(request),
        now: Date.now(),
      },
    );
  });
  return id;
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
