import type { DeploymentParts } from "../deployments/deployment-parts.ts";
import type { Environment } from "../environments/environments.ts";

/** What putting an app to sleep and waking it work with. */
export type SleepParts = Pick<
  DeploymentParts,
  | "store"
  | "settings"
  | "log"
  | "jobs"
  | "vault"
  | "runtimes"
  | "environments"
  | "config"
  | "releases"
  | "instances"
  | "routes"
>;

/** Deployments, sleep and waking of an environment come one after another. */
export const laneOf = (environmentId: string): string => `environment:${environmentId}`;

/** Whether a job of one of these kinds waits or works in the environment. */
export function isOpen(
  { store }: Pick<SleepParts, "store">,
  environmentId: string,
  kinds: string[],
): boolean {
  return (
    store.get(
      `select 1 from jobs where lane = $lane and status in ('queued', 'running')
       and kind in (select value from json_each($kinds))`,
      { lane: laneOf(environmentId), kinds: JSON.stringify(kinds) },
    ) !== null
  );
}

/** The environment, unless it is gone or about to be. */
export function livingEnvironment({ environments }: SleepParts, id: string): Environment | null {
  return environments.all().find((environment) => environment.id === id && !environment.destroying) ?? null;
}
