import type { RunStep, Stage, Step } from "../../src/engine/build/plan.ts";
import { copyInPlace, run, runTheirs } from "../steps.ts";
import type { PackageManager } from "./package-manager.ts";

export interface StageFacts {
  build_image: string;
  run_image: string;
  manager: PackageManager;
  /** Files that the installation reads; `["."]` when its own scripts need the whole tree. */
  manifests: string[];
  install: RunStep["command"];
  build: RunStep["command"] | null;
  build_caches: Record<string, string>;
  /** Whether the packages of development leave the image. */
  prune: boolean;
  has_dependencies: boolean;
  /** Whether the running app needs any package. */
  runs_packages: boolean;
}

const APP = "/app";
const MODULES = "/app/node_modules";

/** Stages that lead to a built app, each resting on as little of the tree as it can. */
export function nodeStages(facts: StageFacts): Stage[] {
  const stages: Stage[] = [];
  if (facts.manager.setup) stages.push(toolStage(facts));
  if (facts.has_dependencies) stages.push(dependencyStage(facts));
  if (facts.runs_packages && facts.prune && !isWhole(facts)) stages.push(productionStage(facts));
  if (facts.build || isWhole(facts)) stages.push(isWhole(facts) ? wholeBuildStage(facts) : buildStage(facts));
  return stages;
}

/** What the running image takes from the stages before it. */
export function runSteps(facts: StageFacts): Step[] {
  if (isWhole(facts)) return [{ type: "take", stage: "build", path: APP, to: "./" }];
  const packages = facts.prune ? "production" : "dependencies";
  const steps: Step[] = [];
  if (facts.runs_packages) steps.push({ type: "take", stage: packages, path: MODULES, to: "./node_modules" });
  steps.push(
    facts.build
      ? { type: "take", stage: "build", path: APP, to: "./" }
      : { type: "copy", paths: ["."], to: "./" },
  );
  return steps;
}

/** Its own install scripts or workspaces need the whole tree at once. */
function isWhole({ manifests, has_dependencies }: StageFacts): boolean {
  return has_dependencies && manifests[0] === ".";
}

function toolStage({ build_image, manager }: StageFacts): Stage {
  const npm = { npm: "/root/.npm" };
  return {
    name: "tools",
    from: build_image,
    purpose: "The package manager",
    env: manager.env,
    steps: [run(manager.setup!.value, manager.setup!.from, npm)],
  };
}

function baseOf({ build_image, manager }: StageFacts): { from: string; env: Record<string, string> } {
  return manager.setup ? { from: "tools", env: {} } : { from: build_image, env: manager.env };
}

/** The packages, from manifests and lockfile alone: a change of code does not touch it. */
function dependencyStage(facts: StageFacts): Stage {
  const { from, env } = baseOf(facts);
  return {
    name: "dependencies",
    from,
    purpose: "Packages, as the lockfile has them",
    env: { ...env, CI: "true", HUSKY: "0" },
    steps: [...copyInPlace(facts.manifests), runTheirs(facts.install, facts.manager.cache)],
  };
}

function productionStage({ manager }: StageFacts): Stage {
  return {
    name: "production",
    from: "dependencies",
    purpose: "Packages without those of development",
    env: {},
    steps: [run(manager.prune!.value, manager.prune!.from, manager.cache)],
  };
}

/** The packages are lent to the build, not copied: they enter the image once, from a layer that stays. */
function buildStage(facts: StageFacts): Stage {
  const step = runTheirs(facts.build!, facts.build_caches);
  if (facts.has_dependencies) step.mounts.push({ stage: "dependencies", path: MODULES, to: MODULES });
  return {
    name: "build",
    ...baseOf(facts),
    purpose: "The app, built",
    steps: [{ type: "copy", paths: ["."], to: "./" }, step],
  };
}

function wholeBuildStage({ build, build_caches, prune, manager }: StageFacts): Stage {
  const steps: Step[] = [];
  if (build) steps.push(runTheirs(build, build_caches));
  if (prune) steps.push(run(manager.prune!.value, manager.prune!.from, manager.cache));
  // Create React App fails a build for its warnings when CI says so.
  return { name: "build", from: "dependencies", purpose: "The app, built", env: { CI: "false" }, steps };
}
