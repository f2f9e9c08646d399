import { ulid } from "ulid";
import { DiploError } from "../../errors.ts";
import { DONE, type JobKind } from "../../jobs/job.ts";
import type { Environment } from "../environments/environments.ts";
import { isContainer } from "../instances/instance-rows.ts";
import { removeArtifacts } from "../releases/remove-artifacts.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import { releaseHookContainer } from "./run-hook.ts";
import { untilDrained } from "./until-drained.ts";

interface DrainState {
  environment_id: string;
  deployment_id: string | null;
  instances: string[];
}

/** Old instances finish what they have in flight, then stop; images that no kept release needs are let go. */
export function drainJob(parts: DeploymentParts): JobKind<DrainState> {
  return {
    name: "drain",
    cancellable: () => false,
    waits: true,
    steps: {
      withdrawing: {
        deadlineMs: 60_000,
        onDeadline: () => new DiploError("step_timeout", "the proxy does not take the routes"),
        attempts: 1000,
        run: async () => {
          await parts.routes.publish();
          return { next: "draining" };
        },
      },
      draining: {
        deadlineMs: 2 * 3600_000,
        async run({ state, signal }) {
          const rows = parts.instances.byIds(state.instances);
          const web = rows.filter((row) => row.process === "web").map((row) => row.id);
          const until = Math.max(0, ...rows.map((row) => row.drain_until ?? 0));
          await untilDrained(parts, web, until, signal);
          return { next: "stopping" };
        },
      },
      stopping: {
        deadlineMs: 15 * 60_000,
        onDeadline: () => new DiploError("step_timeout", "the engine does not stop old instances"),
        attempts: 1000,
        async run({ state }) {
          const rows = parts.instances.byIds(state.instances);
          const graceS = stopGraceS(parts, state);
          await Promise.all(
            rows.filter(isContainer).map(async (row) => {
              const runtime = await parts.runtimes.usable();
              await runtime.stop(row.name, graceS);
              await runtime.remove(row.name);
            }),
          );
          if (state.deployment_id) await removeReleaseContainer(parts, state.deployment_id);
          return {
            next: "pruning",
            apply: () => {
              for (const row of rows) parts.instances.release(row.id);
              return undefined;
            },
          };
        },
      },
      pruning: {
        deadlineMs: 5 * 60_000,
        async run({ state }) {
          const builds = parts.releases.prunableBuilds(state.environment_id);
          for (const build of builds) await removeArtifacts(parts, build);
          return {
            next: DONE,
            apply: () => {
              for (const build of builds) parts.releases.markPruned(build.id);
              return undefined;
            },
          };
        },
      },
    },
  };
}

/** A release of files alone never ran a command: no engine is asked about it. */
async function removeReleaseContainer(parts: DeploymentParts, deploymentId: string): Promise<void> {
  const row = parts.store.get<{ release_id: string | null }>(
    "select release_id from deployments where id = $deploymentId",
    { deploymentId },
  );
  if (row?.release_id && parts.releases.byId(row.release_id).spec.site !== null) return;
  await (await parts.runtimes.usable()).remove(releaseHookContainer(deploymentId));
}

/** An app that was destroyed meanwhile took its instances along: nothing is left to be patient with. */
function stopGraceS({ environments }: DeploymentParts, { environment_id }: DrainState): number {
  const environment = environments.all().find(({ id }) => id === environment_id);
  return environment?.settings.stop_grace_s ?? 0;
}

/** Call it in the transaction that retires the instances. */
export function enqueueDrain(
  { jobs }: Pick<DeploymentParts, "jobs">,
  environment: Environment,
  instances: string[],
  deploymentId: string | null,
  step: "withdrawing" | "draining" = "draining",
): void {
  const id = ulid();
  jobs.enqueue<DrainState>({
    id,
    kind: "drain",
    // A lane of its own: a long download must not hold up the next deployment.
    lane: `drain:${id}`,
    subject: environment.app_id,
    step,
    state: { environment_id: environment.id, deployment_id: deploymentId, instances },
    createdBy: "diplo",
  });
}
