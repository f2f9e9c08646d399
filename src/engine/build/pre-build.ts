import type { BuildPlan, Choice, Stage, Step } from "./plan.ts";

const SOURCE = "source";
const TREE = "/app/";

/**
 * The plan with a command of the person that runs before anything else is built, in the image that builds: a first
 * stage holds the tree and runs it, and every other stage copies from there instead of from the context. BuildKit
 * knows a copied file by its content, so what does not depend on the command's work stays cached.
 */
export function withPreBuild(plan: BuildPlan, command: Choice<string>): BuildPlan {
  const stage: Stage = {
    name: SOURCE,
    from: plan.build_image?.value ?? plan.run_image?.value ?? plan.stages[0]!.from,
    purpose: "The tree, after the pre_build hook",
    env: {},
    steps: [
      { type: "copy", paths: ["."], to: "./" },
      { type: "run", command, caches: {}, mounts: [], secrets: true },
    ],
  };
  const others = plan.stages.map((other) => ({ ...other, steps: other.steps.flatMap(fromSource) }));
  return { ...plan, pre_build: command, stages: [stage, ...others] };
}

function fromSource(step: Step): Step[] {
  if (step.type !== "copy") return [step];
  return step.paths.map((path) => ({
    type: "take",
    stage: SOURCE,
    path: path === "." ? TREE : `${TREE}${path}`,
    to: step.to,
  }));
}

/** Whether a step brings the whole tree, so that what follows it may build the app. */
export function bringsTree(step: Step): boolean {
  if (step.type === "copy") return step.paths.includes(".");
  return step.type === "take" && step.stage === SOURCE && step.path === TREE;
}
