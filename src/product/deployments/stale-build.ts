import { isPublicName } from "../../engine/build/public-config.ts";
import type { ErrorRecord } from "../../jobs/job.ts";
import { type Environment, refOf } from "../environments/environments.ts";
import type { ReleaseRow } from "../releases/releases.ts";
import type { DeploymentParts } from "./deployment-parts.ts";

/**
 * What a release says that was made out of an older build: names of config whose value the build has seen and that
 * has changed since, or that it would see by its name. null = none. The vault must be ready.
 */
export function staleBuild(
  { store, config }: Pick<DeploymentParts, "store" | "config">,
  environment: Environment,
  { build_id, spec }: ReleaseRow,
): ErrorRecord | null {
  const built = store.get<{ config: string | null }>("select config from builds where id = $build_id", {
    build_id,
  });
  if (!built?.config) return null;
  const seen = config.values(environment, JSON.parse(built.config));
  const now = config.values(environment, config.versions(environment.id));
  const isNew = (name: string) => !(name in seen) && isPublicName(name) && spec.provider !== "image";
  const names = [
    ...Object.keys(seen).filter((name) => seen[name] !== now[name]),
    ...Object.keys(now).filter(isNew),
  ];
  if (names.length === 0) return null;
  const [has, counts] = names.length === 1 ? ["has", "counts"] : ["have", "count"];
  return {
    code: "needs_build",
    title: `${names.join(", ")} ${has} changed since the build`,
    detail: `${names.join(", ")} ${counts} when the app is built, and nothing was built for this change: what was built before goes on with the old ${names.length === 1 ? "value" : "values"}.`,
    evidence: [],
    hint: `diplo deploy:again ${refOf(environment)}`,
  };
}
