import { join } from "node:path/posix";
import type { BuildPlan, Step } from "./plan.ts";

/** The stage of a static plan that holds nothing but its files, and the directory in it where they lie. */
export const FILES_STAGE = "files";
export const FILES_PATH = "/srv/";
const BUILT_IN = "/app/";

/** Whether a plan's files are a directory of the tree as it was fetched, so that nothing has to be built for them. */
export function isPlainTree(plan: BuildPlan): boolean {
  const stage = plan.stages.find(({ name }) => name === FILES_STAGE);
  return (
    plan.static !== null && stage?.from === "scratch" && stage.steps.every(({ type }) => type === "copy")
  );
}

/** What of a plan only a container can do; null = its files are all there is. */
export function needsContainer(plan: BuildPlan): string | null {
  if (plan.static === null) return "it is a program";
  const others = Object.keys(plan.processes).filter((name) => name !== "web");
  if (others.length > 0) return `it has other processes: ${others.join(", ")}`;
  if (plan.release_command !== null) return "it has a release command";
  if (plan.post_deploy != null) return "it has a post_deploy command";
  return plan.volumes.length > 0 ? "it has a volume" : null;
}

/** The plan with the files taken from another directory than the one that was found. */
export function withFilesRoot(plan: BuildPlan, root: string | null): BuildPlan {
  if (root === null) return plan;
  if (plan.static === null)
    return { ...plan, warnings: [...plan.warnings, "static.root is not used: this is a program, not files"] };
  const moved = (step: Step): Step => {
    if (step.type === "copy") return { ...step, paths: [root === "." ? "." : `${root.replace(/\/$/, "")}/`] };
    return step.type === "take" ? { ...step, path: join(BUILT_IN, root) } : step;
  };
  const stages = plan.stages.map((stage) =>
    stage.name === FILES_STAGE ? { ...stage, steps: stage.steps.map(moved) } : stage,
  );
  return { ...plan, stages, static: { ...plan.static, root: { value: root, from: "static.root" } } };
}
