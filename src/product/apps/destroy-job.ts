import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Config, paths } from "../../config.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { Sites } from "../../engine/site/sites.ts";
import { DiploError } from "../../errors.ts";
import { DONE, type JobKind, type JobRow } from "../../jobs/job.ts";
import type { Store } from "../../store/store.ts";
import { type Environments, networkName } from "../environments/environments.ts";
import type { InstanceRows } from "../instances/instance-rows.ts";
import type { BuildArtifacts } from "../releases/releases.ts";
import { removeArtifacts } from "../releases/remove-artifacts.ts";
import type { Routes } from "../routes/routes.ts";
import type { Volumes } from "../volumes/volumes.ts";

export interface DestroyParts {
  store: Store;
  settings: Config;
  runtimes: Runtimes;
  environments: Environments;
  instances: InstanceRows;
  volumes: Volumes;
  sites: Sites;
  routes: Routes;
}

interface DestroyState {
  app_id: string;
  app: string;
  destroy_data: boolean;
}

/** Takes an app away: first from the routes, then from the engine, last from the database. */
export function destroyJob(parts: DestroyParts): JobKind<DestroyState> {
  return {
    name: "destroy",
    cancellable: () => false,
    steps: {
      withdrawing: {
        deadlineMs: 10 * 60_000,
        onDeadline: late,
        attempts: 1000,
        async run({ job, state, signal, progress }) {
          progress("waiting for its deployments to stop");
          await untilNothingDeploys(parts, job, state.app_id, signal);
          progress("taking it off the routes");
          await parts.routes.publish();
          return { next: "removing" };
        },
      },
      removing: {
        deadlineMs: 10 * 60_000,
        onDeadline: late,
        attempts: 1000,
        async run({ state, progress }) {
          progress("removing instances, images and networks");
          await removeFromEngine(parts, state);
          return { next: "forgetting" };
        },
      },
      forgetting: {
        deadlineMs: 60_000,
        onDeadline: late,
        attempts: 1000,
        async run({ state }) {
          for (const { id } of deployments(parts, state.app_id))
            await Promise.all([
              rm(join(paths.jobLogs(parts.settings.data), `${id}.log`), { force: true }),
              rm(join(paths.work(parts.settings.data), id), { recursive: true, force: true }),
            ]);
          for (const environment of parts.environments.ofApp(state.app_id))
            await parts.routes.forgetAccessLog(environment);
          return { next: DONE, apply: () => forget(parts, state) };
        },
      },
    },
  };
}

/** Not permanent: an app half destroyed can only be destroyed. */
const late = () => new DiploError("step_timeout", "destroying takes long");

/** This job's lane is one environment's; those of the others were told to stop and may not have yet. */
async function untilNothingDeploys(
  { store }: DestroyParts,
  { lane }: JobRow,
  appId: string,
  signal: AbortSignal,
): Promise<void> {
  const open = () =>
    store.get(
      `select 1 from jobs where kind = 'deployment' and subject = $appId and lane <> $lane
       and status in ('queued', 'running')`,
      { appId, lane },
    ) !== null;
  while (open()) {
    signal.throwIfAborted();
    await Bun.sleep(100);
  }
}

async function removeFromEngine(parts: DestroyParts, state: DestroyState): Promise<void> {
  const runtime = await parts.runtimes.usable();
  for (const environment of parts.environments.ofApp(state.app_id)) {
    const containers = await runtime.list({ environment_id: environment.id });
    await Promise.all(containers.map((container) => runtime.remove(container.name)));
    for (const row of parts.instances.present(environment.id)) parts.instances.release(row.id);
    await runtime.removeNetwork(networkName(environment));
    const builds = parts.store.all<Omit<BuildArtifacts, "id">>(
      "select image_tag, site from builds where environment_id = $id",
      { id: environment.id },
    );
    for (const build of builds) await removeArtifacts(parts, build);
    if (state.destroy_data)
      for (const name of parts.volumes.engineNames(environment.id)) await runtime.removeVolume(name);
  }
}

function deployments(parts: DestroyParts, appId: string): { id: string }[] {
  return parts.store.all(
    "select d.id from deployments d join environments e on e.id = d.environment_id where e.app_id = $appId",
    { appId },
  );
}

function forget({ store }: DestroyParts, state: DestroyState): undefined {
  if (state.destroy_data)
    store.run(
      "delete from volumes where environment_id in (select id from environments where app_id = $id)",
      { id: state.app_id },
    );
  store.run("delete from apps where id = $id", { id: state.app_id });
}
