import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { BuildRequest } from "../runtime/container-runtime.ts";
import type { BuildPlan } from "./plan.ts";
import { renderDockerfile } from "./render-dockerfile.ts";

/** A repository on disk, and where in it the app lies ("" = it is the app). */
export interface Checkout {
  root: string;
  subdirectory: string;
}

export type BuildInput = Pick<BuildRequest, "context" | "dockerfile" | "ignore">;

/**
 * What of a checkout the engine is to build, and by which recipe. `cacheScope` as in `renderDockerfile`. A Dockerfile
 * outside its context is sent as a text, as `docker build -f` does.
 */
export async function buildInput(
  plan: BuildPlan,
  { root, subdirectory }: Checkout,
  cacheScope = "",
): Promise<BuildInput> {
  const { dockerfile_path, ignore } = plan;
  const context = join(root, plan.context ?? subdirectory);
  if (dockerfile_path === null)
    return { context, ignore, dockerfile: { text: renderDockerfile(plan, cacheScope) } };
  const file = join(root, subdirectory, dockerfile_path);
  const path = relative(context, file);
  const outside = path === ".." || path.startsWith("../");
  return { context, ignore, dockerfile: outside ? { text: await readFile(file, "utf8") } : { path } };
}
