import { rm } from "node:fs/promises";
import type { ContainerRuntime } from "../../../engine/runtime/container-runtime.ts";
import { DiploError } from "../../../errors.ts";
import { DONE, type Step } from "../../../jobs/job.ts";
import type { Environment } from "../../environments/environments.ts";
import { type InstanceRow, isContainer } from "../../instances/instance-rows.ts";
import { filesContainer, siteName } from "../build-site.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { endPull, pullOf } from "../fetch-image.ts";
import { hookContainers } from "../run-hook.ts";
import { workDirectory } from "./fetch-step.ts";
import { clearStep } from "./finish-step.ts";

/** Undoes what a failed or cancelled deployment made; the old release goes on, or is started again. */
export function unwindStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 5 * 60_000,
    attempts: 30,
    async run(context) {
      const { state, signal, progress } = context;
      // What is live stays: only its post_deploy hook did not come to its end.
      if (state.is_live) return clearStep(parts).run(context);
      progress("putting things back");
      await rm(workDirectory(parts, state), { recursive: true, force: true });
      const environment = parts.environments.byId(state.environment_id);
      const mine = parts.instances.ofDeployment(state.deployment_id);
      if (mine.length > 0 || state.release_id) await restoreOld(parts, environment, state, signal);
      if (state.request.source !== null) await parts.sites.remove(siteName(state.deployment_id));
      const madeNothing = !mayHaveUsedEngine(parts, state, mine);
      try {
        await remove({ parts, runtime: await parts.runtimes.usable(), environment, state, mine });
      } catch (error) {
        // What failed because the engine is down must not wait for the engine to say so.
        if (!madeNothing || !(error instanceof DiploError) || error.code !== "engine_down") throw error;
      }
      return {
        next: DONE,
        apply: () => {
          if (state.request.source !== null && state.build_id) parts.releases.markPruned(state.build_id);
          for (const row of mine) parts.instances.release(row.id);
          return undefined;
        },
      };
    },
  };
}

async function restoreOld(
  parts: DeploymentParts,
  environment: Environment,
  state: DeploymentState,
  signal: AbortSignal,
): Promise<void> {
  const old = parts.instances
    .present(environment.id)
    .filter((row) => row.deployment_id !== state.deployment_id && row.desired === "running");
  for (const row of old.filter(isContainer)) {
    signal.throwIfAborted();
    const runtime = await parts.runtimes.usable();
    const facts = await runtime.inspect(row.name);
    // A recreate had stopped it.
    if (facts && facts.state !== "running" && facts.state !== "restarting")
      await runtime.startAgain(row.name);
  }
  trafficBack(parts, environment, old, state);
  await parts.routes.publish();
}

function trafficBack(
  parts: DeploymentParts,
  environment: Environment,
  old: InstanceRow[],
  state: DeploymentState,
): void {
  parts.store.transaction(() => {
    parts.instances.setRouted(
      parts.instances.ofDeployment(state.deployment_id).map((row) => row.id),
      false,
    );
    parts.instances.setRouted(
      old.filter((row) => row.process === "web").map((row) => row.id),
      true,
    );
    const serving = old[0] ? parts.releases.byId(old[0].release_id) : parts.releases.lastLive(environment.id);
    parts.store.run("delete from traffic where environment_id = $id", { id: environment.id });
    for (const process of Object.keys(serving?.spec.processes ?? {}))
      parts.store.run(
        "insert into traffic (environment_id, process, release_id, weight) values ($id, $process, $releaseId, 100)",
        { id: environment.id, process, releaseId: serving?.id ?? "" },
      );
  });
}

/** A release of files alone leaves nothing at the engine, unless its files were built there. */
function mayHaveUsedEngine(parts: DeploymentParts, state: DeploymentState, mine: InstanceRow[]): boolean {
  const build = state.build_id
    ? parts.store.get<{ image_tag: string | null }>("select image_tag from builds where id = $id", {
        id: state.build_id,
      })
    : null;
  const release = state.release_id ? parts.releases.byId(state.release_id) : null;
  return (
    mine.some(isContainer) ||
    (build !== null && build.image_tag !== null) ||
    (release !== null && release.spec.site === null) ||
    pullOf(parts, state.deployment_id) !== null
  );
}

interface Removal {
  parts: DeploymentParts;
  runtime: ContainerRuntime;
  environment: Environment;
  state: Readonly<DeploymentState>;
  mine: InstanceRow[];
}

async function remove({ parts, runtime, environment, state, mine }: Removal): Promise<void> {
  await Promise.all(mine.filter(isContainer).map((row) => runtime.remove(row.name)));
  for (const name of hookContainers(state.deployment_id)) await runtime.remove(name);
  await runtime.remove(filesContainer(siteName(state.deployment_id)));
  if (state.request.source === null) return;
  const pull = pullOf(parts, state.deployment_id);
  if (pull && !pull.keep_name) await runtime.forgetPulled(pull.image);
  endPull(parts, state.deployment_id);
  await runtime.removeImage(runtime.imageTag(environment.app, state.deployment_id));
}
