import type { RunStep, Stage, Step } from "../../src/engine/build/plan.ts";
import { copyAll, copyInPlace, packagesPurpose, run, runTheirs, take } from "../steps.ts";
import type { PackageManager } from "./package-manager.ts";

type Line = RunStep["command"];

export interface StageFacts {
  image: string;
  manager: PackageManager;
  /** Files that the installation reads; `["."]` when it needs the whole tree. */
  manifests: string[];
  install: Line;
  /** What builds the app, in order; empty when nothing does. */
  build: Line[];
  /** What makes the built app fit to run, without the caches of the build; null when it is as it is. */
  finish: Line | null;
  build_env: Record<string, string>;
  build_caches: Record<string, string>;
  /** Whether packages of development are dropped after the build. */
  prune: boolean;
  has_dependencies: boolean;
  /** Whether the running app needs any package. */
  runs_packages: boolean;
  /** Packages lie in several places, or are written to by their own scripts: they stay where they were installed. */
  in_place: boolean;
}

const APP = "/app";
const MODULES = "/app/node_modules";

/** Stages that lead to a built app, each resting on as little of the tree as it can. */
export function nodeStages(facts: StageFacts): Stage[] {
  const stages: Stage[] = [];
  if (facts.manager.setup) stages.push(toolStage(facts));
  if (facts.has_dependencies) stages.push(dependencyStage(facts));
  if (facts.in_place) return [...stages, inPlaceStage(facts)];
  if (facts.runs_packages && facts.prune) stages.push(productionStage(facts));
  if (facts.build.length > 0) stages.push(buildStage(facts));
  return stages;
}

/** What the running image takes from the stages before it. */
export function runSteps(facts: StageFacts): Step[] {
  if (facts.in_place) return [take("build", APP, "./")];
  const packages = facts.prune ? "production" : "dependencies";
  return [
    ...(facts.runs_packages ? [take(packages, MODULES, "./node_modules")] : []),
    facts.build.length > 0 ? take("build", APP, "./") : copyAll(),
  ];
}

function toolStage({ image, manager }: StageFacts): Stage {
  const npm = { npm: "/root/.npm" };
  return {
    name: "tools",
    from: image,
    purpose: "The package manager",
    env: manager.env,
    steps: [run(manager.setup!.value, manager.setup!.from, npm)],
  };
}

function baseOf({ image, manager }: StageFacts): { from: string; env: Record<string, string> } {
  return manager.setup ? { from: "tools", env: {} } : { from: image, env: manager.env };
}

/** The packages, from manifests and lockfile alone: a change of code does not touch it. */
function dependencyStage(facts: StageFacts): Stage {
  const { from, env } = baseOf(facts);
  return {
    name: "dependencies",
    from,
    purpose: packagesPurpose("Packages", facts.manager.lockfile !== null),
    env: { ...env, CI: "true" },
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
  const { from, env } = baseOf(facts);
  const steps = facts.build.map((line) => runTheirs(line, facts.build_caches));
  if (facts.has_dependencies)
    for (const step of steps) step.mounts.push({ stage: "dependencies", path: MODULES, to: MODULES });
  return {
    name: "build",
    from,
    purpose: "The app, built",
    env: { ...env, ...facts.build_env },
    steps: [copyAll(), ...steps, ...finishSteps(facts)],
  };
}

function finishSteps({ finish }: StageFacts): Step[] {
  return finish === null ? [] : [run(finish.value, finish.from)];
}

function inPlaceStage(facts: StageFacts): Stage {
  const { manifests, build, build_env, build_caches, prune, manager } = facts;
  const steps: Step[] = manifests[0] === "." ? [] : [copyAll()];
  steps.push(...build.map((line) => runTheirs(line, build_caches)), ...finishSteps(facts));
  if (prune) steps.push(run(manager.prune!.value, manager.prune!.from, manager.cache));
  return {
    name: "build",
    from: "dependencies",
    purpose: "The app, built",
    // Create React App fails a build for its warnings when CI says so.
    env: { CI: "false", ...build_env },
    steps,
  };
}
