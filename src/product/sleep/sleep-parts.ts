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

/** The environment, unless it is gone or about to be. */
export function livingEnvironment({ environments }: SleepParts, id: string): Environment | null {
  return environments.all().find((environment) => environment.id === id && !environment.destroying) ?? null;
}
