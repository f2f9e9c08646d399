import { type Static, Type as t } from "@sinclair/typebox";
import { describePlan } from "../../engine/build/describe-plan.ts";
import type { BuildPlan } from "../../engine/build/plan.ts";
import { emptyPlan } from "../../engine/build/provider.ts";
import { renderDockerfile } from "../../engine/build/render-dockerfile.ts";
import { conflict } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { Environments } from "../environments/environments.ts";
import type { Releases } from "./releases.ts";

/** How what serves was built: the plan, each choice with where it came from, and the Dockerfile of a buildpack. */
export const AppPlan = t.Object({
  release: t.Integer(),
  provider: t.String(),
  plan: t.Unknown(),
  text: t.String({ description: "The plan as a person reads it, the Dockerfile of a buildpack included" }),
  dockerfile: t.Union([t.String(), t.Null()], { description: "null: the repository's own, or none" }),
  /** Names of the config variables that the build saw. */
  config: t.Array(t.String()),
});
export type AppPlan = Static<typeof AppPlan>;

/** The plan of the release that serves. Throws `never_deployed`. */
export function appPlan(
  ref: string,
  { store, environments, releases }: { store: Store; environments: Environments; releases: Releases },
): AppPlan {
  const environment = environments.find(ref);
  const release = releases.current(environment.id);
  const build = store.get<{ plan: string; config: string | null }>(
    "select plan, config from builds where id = $id",
    {
      id: release?.build_id ?? "",
    },
  );
  if (!release || !build)
    throw conflict(
      "never_deployed",
      `${environment.app} was never live`,
      "diplo build --plan DIR shows a plan too.",
    );
  const stored = JSON.parse(build.plan) as BuildPlan;
  // What an older version wrote lacks what came later.
  const plan = { ...emptyPlan(stored.provider, stored.evidence), ...stored };
  return {
    release: release.number,
    provider: plan.provider,
    plan,
    text: describePlan(plan),
    dockerfile: plan.stages.length === 0 ? null : renderDockerfile(plan),
    config: Object.keys(JSON.parse(build.config ?? "{}")),
  };
}
