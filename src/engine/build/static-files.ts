import type { BuildPlan } from "./plan.ts";

/** The stage of a static plan that holds nothing but its files, and the directory in it where they lie. */
export const FILES_STAGE = "files";
export const FILES_PATH = "/srv/";

/** Whether a plan's files are a directory of the tree as it was fetched, so that nothing has to be built for them. */
export function isPlainTree(plan: BuildPlan): boolean {
  const stage = plan.stages.find(({ name }) => name === FILES_STAGE);
  return (
    plan.static !== null && stage?.from === "scratch" && stage.steps.every(({ type }) => type === "copy")
  );
}
