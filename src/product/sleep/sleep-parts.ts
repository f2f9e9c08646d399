import type { DeploymentParts } from "../deployments/deployment-parts.ts";
import type { Environment } from "../environments/environments.ts";
import type { InstanceRow } from "../instances/instance-rows.ts";

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

/** The environment, unless it is gone or about to be. */
export function livingEnvironment({ environments }: SleepParts, id: string): Environment | null {
  return environments.all().find((environment) => environment.id === id && !environment.destroying) ?? null;
}

/** The environment with its instances that sleep; null when it has none, or is gone or about to be. */
export function sleeping(
  parts: SleepParts,
  environmentId: string,
): { environment: Environment; rows: InstanceRow[] } | null {
  const environment = livingEnvironment(parts, environmentId);
  const rows = environment ? parts.instances.asleep(environment.id) : [];
  return environment && rows.length > 0 ? { environment, rows } : null;
}
