import { DiploError, PermanentError } from "../../../errors.ts";
import { errorRecord } from "../../../jobs/error-record.ts";
import { DONE, type Step, type StepContext } from "../../../jobs/job.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { addWarning } from "../deployment-warnings.ts";
import type { Hook } from "../hooks.ts";
import { hookContainers, runHook } from "../run-hook.ts";

/** Runs the post_deploy hook of a deployment that is live. Whatever becomes of it, the deployment stays live. */
export function finishStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: ({ environment_id }) =>
      parts.environments.byId(environment_id).settings.hook_timeout_s * 1000 + 60_000,
    async run(context) {
      context.progress("running the post_deploy command");
      await parts.vault.ready();
      const failed = await failureOf(parts, context);
      if (failed) context.log.line(`warning: ${failed.detail}`);
      return {
        next: "clearing",
        apply: () => {
          if (failed) addWarning(parts, context.state.deployment_id, errorRecord(failed));
          return undefined;
        },
      };
    },
  };
}

async function failureOf(
  parts: DeploymentParts,
  { state, signal, log }: StepContext<DeploymentState>,
): Promise<PermanentError | null> {
  try {
    await runHook({
      parts,
      runtime: await parts.runtimes.usable(),
      environment: parts.environments.byId(state.environment_id),
      release: parts.releases.byId(state.release_id as string),
      deploymentId: state.deployment_id,
      hook: state.post_deploy as Hook,
      signal,
      log,
    });
    return null;
  } catch (error) {
    if (error instanceof PermanentError) return error;
    throw error;
  }
}

/** Its outcome is written down: the container that would have told of it may go. */
export function clearStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 60_000,
    attempts: 1000,
    onDeadline: () => new DiploError("step_timeout", "the engine does not remove the hook's container"),
    async run({ state }) {
      const runtime = await parts.runtimes.usable();
      for (const name of hookContainers(state.deployment_id)) await runtime.remove(name);
      return { next: DONE };
    },
  };
}
