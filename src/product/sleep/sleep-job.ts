import { ulid } from "ulid";
import { DONE, type JobKind } from "../../jobs/job.ts";
import { untilDrained } from "../deployments/until-drained.ts";
import { isOpen, laneOf } from "../environments/environment-lane.ts";
import type { Environment } from "../environments/environments.ts";
import { livingEnvironment, type SleepParts, sleeping } from "./sleep-parts.ts";

interface SleepState {
  environment_id: string;
  /** Its web instances when it was found idle. */
  instances: string[];
}

/**
 * Takes an idle app's web instances off the routes, lets what is in flight finish, and stops them. Containers and
 * addresses stay. Whoever asks from the first step on is held by the proxy and wakes it.
 */
export function sleepJob(parts: SleepParts): JobKind<SleepState> {
  return {
    name: "sleep",
    cancellable: () => false,
    steps: {
      resting: {
        deadlineMs: 60_000,
        async run({ state }) {
          return { next: "withdrawing", apply: () => rest(parts, state) };
        },
      },
      withdrawing: {
        deadlineMs: 60_000,
        attempts: 1000,
        async run() {
          await parts.routes.publish();
          return { next: "stopping" };
        },
      },
      stopping: {
        deadlineMs: 75 * 60_000,
        async run({ state, signal }) {
          const asleep = sleeping(parts, state.environment_id);
          if (asleep === null) return { next: DONE };
          const { environment, rows } = asleep;
          const ids = rows.map(({ id }) => id);
          await untilDrained(parts, ids, Date.now() + environment.settings.drain_s * 1000, signal);
          // Somebody asked meanwhile: waking finds it running, which is quicker than stopping it first.
          if (isOpen(parts, environment.id, ["wake"])) return { next: DONE };
          const runtime = await parts.runtimes.usable();
          await Promise.all(rows.map(({ name }) => runtime.stop(name, environment.settings.stop_grace_s)));
          return {
            next: DONE,
            apply: () => {
              for (const row of parts.instances.byIds(ids))
                if (row.desired === "stopped") parts.instances.observe(row, "stopped", null);
              return undefined;
            },
          };
        },
      },
    },
  };
}

/** Asks for it, or with `stopping` for what is left of it when the engine did not stop what sleeps. */
export function enqueueSleep(
  parts: Pick<SleepParts, "jobs">,
  environment: Environment,
  instances: string[],
  step: "resting" | "stopping" = "resting",
): void {
  parts.jobs.enqueue<SleepState>({
    id: ulid(),
    kind: "sleep",
    lane: laneOf(environment.id),
    subject: environment.app_id,
    step,
    state: { environment_id: environment.id, instances },
    createdBy: "diplo",
  });
}

/** Not when a deployment was asked for since: it would only wake the app again. */
function rest(parts: SleepParts, state: SleepState): undefined {
  const environment = livingEnvironment(parts, state.environment_id);
  if (environment?.desired !== "running" || environment.settings.idle_timeout_s === null) return;
  if (isOpen(parts, environment.id, ["deployment"])) return;
  parts.instances.putToSleep(state.instances);
}
