import { ulid } from "ulid";
import type { ContainerRuntime } from "../../engine/runtime/container-runtime.ts";
import { DONE, type JobKind } from "../../jobs/job.ts";
import { startInstance } from "../deployments/steps/start-step.ts";
import { untilHealthy } from "../deployments/steps/verify-step.ts";
import { isOpen, laneOf } from "../environments/environment-lane.ts";
import { type Environment, networkOf } from "../environments/environments.ts";
import type { InstanceRow } from "../instances/instance-rows.ts";
import { hostOf } from "../routes/route-table.ts";
import { type SleepParts, sleeping } from "./sleep-parts.ts";

interface WakeState {
  environment_id: string;
}

const NOT_DELAYED_MS = 1;

/**
 * Starts the instances that sleep, sees that they answer, and lets the requests that wait through to them. Looking at
 * what sleeps comes first in every step, so it may die anywhere: a stop by hand meanwhile leaves it nothing to do.
 */
export function wakeJob(parts: SleepParts): JobKind<WakeState> {
  return {
    name: "wake",
    cancellable: () => false,
    unwind: "giving_up",
    steps: {
      starting: {
        deadlineMs: 5 * 60_000,
        attempts: 3,
        async run({ state, signal, progress }) {
          progress("starting what sleeps");
          const asleep = sleeping(parts, state.environment_id);
          if (asleep === null) return { next: DONE };
          const { environment, rows } = asleep;
          const runtime = await parts.runtimes.usable();
          await parts.vault.ready();
          // A network without running containers is what `docker network prune` takes.
          await runtime.ensureNetwork(networkOf(environment));
          signal.throwIfAborted();
          await Promise.all(rows.map((row) => start(parts, runtime, environment, row)));
          return { next: "verifying", evidence: { instances: rows.map(({ name }) => name) } };
        },
      },
      verifying: {
        deadlineMs: 70 * 60_000,
        attempts: 3,
        async run({ state, signal, progress }) {
          progress("waiting until it is healthy");
          const asleep = sleeping(parts, state.environment_id);
          if (asleep === null) return { next: DONE };
          const { environment, rows } = asleep;
          const runtime = await parts.runtimes.usable();
          const host = hostOf(environment, parts.settings);
          const spec = (row: InstanceRow) => parts.releases.byId(row.release_id).spec;
          await Promise.all(
            rows.map((row) => untilHealthy({ runtime, environment, row, spec: spec(row), host, signal })),
          );
          return { next: "publishing", apply: () => rouse(parts, rows, "running") };
        },
      },
      publishing: {
        deadlineMs: 60_000,
        attempts: 1000,
        async run() {
          await parts.routes.publish();
          return { next: DONE };
        },
      },
      // It does not start: from here on it is an app that crashed. Everybody sees so, and healing tries with patience.
      giving_up: {
        deadlineMs: 60_000,
        attempts: 1000,
        async run({ state }) {
          const rows = parts.instances.asleep(state.environment_id);
          return { next: "publishing", apply: () => rouse(parts, rows, "crashed") };
        },
      },
    },
  };
}

/** Asks for the instances that sleep, once however often it is called. Nothing to do while none does. */
export function enqueueWake(
  parts: Pick<SleepParts, "jobs" | "instances" | "store">,
  environment: Pick<Environment, "id" | "app_id">,
  by: string,
): void {
  if (parts.instances.asleep(environment.id).length === 0 || isOpen(parts, environment.id, ["wake"])) return;
  parts.jobs.enqueue<WakeState>({
    // Before whatever is asked for in the same moment: jobs of a lane run in the order of their ids.
    id: ulid(Date.now() - NOT_DELAYED_MS),
    kind: "wake",
    lane: laneOf(environment.id),
    subject: environment.app_id,
    step: "starting",
    state: { environment_id: environment.id },
    createdBy: by,
  });
}

async function start(
  parts: SleepParts,
  runtime: ContainerRuntime,
  environment: Environment,
  row: InstanceRow,
): Promise<void> {
  const release = parts.releases.byId(row.release_id);
  const config = parts.config.values(environment, release.spec.config);
  await startInstance({ parts, runtime, environment, release, config }, row);
  // Stopped by hand or replaced meanwhile: who did that may have looked for its container before it was here.
  if (parts.instances.byId(row.id)?.desired !== "stopped") await runtime.remove(row.name);
}

function rouse({ instances }: SleepParts, rows: InstanceRow[], observed: "running" | "crashed"): undefined {
  instances.wake(
    rows.map(({ id }) => id),
    observed,
  );
}
