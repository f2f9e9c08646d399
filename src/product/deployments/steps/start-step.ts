import type { ContainerRuntime } from "../../../engine/runtime/container-runtime.ts";
import type { Step } from "../../../jobs/job.ts";
import type { Environment } from "../../environments/environments.ts";
import { type InstanceRow, isContainer } from "../../instances/instance-rows.ts";
import { instanceSpec } from "../../instances/instance-spec.ts";
import { strategyOf } from "../../releases/release-spec.ts";
import type { ReleaseRow } from "../../releases/releases.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { untilDrained } from "../until-drained.ts";

/** Makes the engine run every wanted instance; `recreate` processes let go of the old ones first. */
export function startStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 5 * 60_000,
    async run({ state, signal, log, progress }) {
      const environment = parts.environments.byId(state.environment_id);
      const release = parts.releases.byId(state.release_id as string);
      await parts.vault.ready();
      const wanted = parts.instances.byIds(state.wanted ?? []);
      await letGo({ parts, environment, release, wanted, signal });
      const config = parts.config.values(environment, release.spec.config);
      for (const row of wanted) {
        signal.throwIfAborted();
        if (!isContainer(row)) {
          log.line(`${row.process}.${row.slot} is served by the proxy: there is no container to start`);
          continue;
        }
        progress(`starting ${row.process}.${row.slot}`);
        const runtime = await parts.runtimes.usable();
        await startInstance({ parts, runtime, environment, release, config }, row);
        log.line(`Started ${row.process}.${row.slot} as ${row.name}`);
      }
      return { next: "verifying", evidence: { instances: wanted.map((row) => row.name) } };
    },
  };
}

export interface StartWork {
  parts: Pick<DeploymentParts, "instances">;
  runtime: ContainerRuntime;
  environment: Environment;
  release: ReleaseRow;
  config: Record<string, string>;
}

/** Starts (or finds running) one recorded container and writes down what the engine gave it. */
export async function startInstance(
  { parts, runtime, environment, release, config }: StartWork,
  row: InstanceRow,
): Promise<void> {
  const facts = await runtime.start(
    instanceSpec(environment, release, config, {
      name: row.name,
      address: row.address as string,
      process: row.process,
      labels: { deployment: row.deployment_id, instance: row.id },
    }),
  );
  parts.instances.observe(row, row.observed === "running" ? "running" : "starting", facts);
}

/** Old instances whose place the new ones take, for processes of which two must not run at once. */
export function replacedInstances(
  parts: DeploymentParts,
  release: ReleaseRow,
  state: Pick<DeploymentState, "environment_id" | "wanted">,
): InstanceRow[] {
  const wanted = new Set(state.wanted ?? []);
  return parts.instances
    .present(state.environment_id)
    .filter((row) => !wanted.has(row.id) && row.desired === "running" && isContainer(row))
    .filter((row) => recreates(parts, release, row));
}

// The old release decides too: it may be the one that has the volume. Files share nothing with a container.
function recreates(parts: DeploymentParts, release: ReleaseRow, row: InstanceRow): boolean {
  if (release.spec.site !== null) return false;
  const old = parts.releases.byId(row.release_id);
  return (
    strategyOf(release.spec, row.process) === "recreate" || strategyOf(old.spec, row.process) === "recreate"
  );
}

interface LetGo {
  parts: DeploymentParts;
  environment: Environment;
  release: ReleaseRow;
  wanted: InstanceRow[];
  signal: AbortSignal;
}

async function letGo({ parts, environment, release, wanted, signal }: LetGo): Promise<void> {
  const old = replacedInstances(parts, release, {
    environment_id: environment.id,
    wanted: wanted.map((row) => row.id),
  });
  if (old.length === 0) return;
  const ids = old.map((row) => row.id);
  parts.instances.setRouted(ids, false);
  // Requests wait in the proxy from here until the new instances serve.
  await parts.routes.publish();
  await untilDrained(parts, ids, Date.now() + environment.settings.drain_s * 1000, signal);
  const runtime = await parts.runtimes.usable();
  await Promise.all(old.map((row) => runtime.stop(row.name, environment.settings.stop_grace_s)));
}
