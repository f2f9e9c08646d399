import { describePlan } from "../../src/engine/build/describe-plan.ts";
import { memoryTree } from "../../src/engine/build/memory-tree.ts";
import type { BuildOptions, BuildPlan } from "../../src/engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../src/engine/build/plan-build.ts";

/** Path → text; a package.json may stand there as an object. */
export type Files = Record<string, string | object>;

export function planOf(files: Files, options: Partial<BuildOptions> = {}): Promise<BuildPlan> {
  const texts = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === "string" ? content : JSON.stringify(content),
  ]);
  return planTree(memoryTree(Object.fromEntries(texts)), { ...DEFAULT_BUILD_OPTIONS, ...options });
}

/** The plan as `diplo build --plan` prints it: every choice with where it came from, and the Dockerfile. */
export async function described(files: Files, options: Partial<BuildOptions> = {}): Promise<string> {
  return `\n${describePlan(await planOf(files, options))}`;
}

/** The error code that planning ends with, or the provider's name. */
export async function outcomeOf(files: Files, options: Partial<BuildOptions> = {}): Promise<string> {
  return planOf(files, options).then(
    ({ provider }) => provider,
    (error) => error.code ?? error.message,
  );
}
