import { imagePlan } from "../../../engine/build/image-plan.ts";
import type { BuildPlan } from "../../../engine/build/plan.ts";
import { planBuild } from "../../../engine/build/plan-build.ts";
import type { Step } from "../../../jobs/job.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { checkoutOf } from "./fetch-step.ts";

/** Reads the tree and decides how it becomes an image. */
export function planStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 60_000,
    async run({ state, log, progress }) {
      progress("looking at the source");
      const { settings } = parts.environments.byId(state.environment_id);
      const { root, subdirectory } = checkoutOf(state);
      const options = {
        mode: settings.build.mode,
        buildpack: settings.build.buildpack,
        dockerfile_path: settings.build.dockerfile_path,
        target: settings.build.target,
        args: {},
        secrets: {},
      };
      const plan = state.image ? imagePlan(state.image) : await planBuild(root, options, subdirectory);
      for (const line of summary(plan)) log.line(line);
      return { next: "building", state: { plan }, evidence: { provider: plan.provider } };
    },
  };
}

/** What was decided, each with where it came from. */
function summary(plan: BuildPlan): string[] {
  const facts = Object.entries({
    ...plan.versions,
    "package manager": plan.package_manager,
    framework: plan.framework,
  })
    .filter((entry): entry is [string, { value: string; from: string }] => entry[1] !== null)
    .map(([name, choice]) => `  ${name} ${choice.value} (from ${choice.from})`);
  const processes = Object.entries(plan.processes).map(
    ([name, { command, from }]) =>
      `  ${name}: ${command?.join(" ") ?? "the image's own command"} (from ${from})`,
  );
  return [
    plan.stages.length === 0 && plan.dockerfile_path === null
      ? `Nothing to build: ${plan.evidence.join(", ")} is an image already`
      : `Building with ${plan.provider} (${plan.evidence.join(", ")})`,
    ...facts,
    ...processes,
    ...plan.warnings.map((warning) => `  note: ${warning}`),
  ];
}
