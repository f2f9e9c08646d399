import { describePlan } from "../../src/engine/build/describe-plan.ts";
import { memoryTree } from "../../src/engine/build/memory-tree.ts";
import type { BuildOptions, BuildPlan } from "../../src/engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../src/engine/build/plan-build.ts";
import { renderDockerfile } from "../../src/engine/build/render-dockerfile.ts";
import { subtree } from "../../src/engine/build/tree.ts";

/** Path → text; a package.json may stand there as an object. */
export type Files = Record<string, string | object>;

export function planOf(
  files: Files,
  options: Partial<BuildOptions> = {},
  subdirectory = "",
): Promise<BuildPlan> {
  const texts = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === "string" ? content : JSON.stringify(content),
  ]);
  const tree = subtree(memoryTree(Object.fromEntries(texts)), subdirectory);
  return planTree(tree, { ...DEFAULT_BUILD_OPTIONS, ...options });
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

/** The Dockerfile alone. */
export async function dockerfileOf(files: Files, subdirectory = ""): Promise<string> {
  return renderDockerfile(await planOf(files, {}, subdirectory));
}
