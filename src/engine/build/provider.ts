import type { BuildPlan } from "./plan.ts";
import type { Procfile } from "./procfile.ts";
import type { SourceTree } from "./tree.ts";

/** What every provider is told beside the tree. */
export interface PlanContext {
  procfile: Procfile;
  /** What `detect` answered. */
  evidence: string[];
}

/** Knows one kind of repository. Pure: reads the tree, answers data. */
export interface Provider {
  name: string;
  /** What it recognises, for the message when nothing matches. */
  looks_for: string;
  /** Where it looks for a start command, for the message when there is none. */
  start_from: string;
  /** Evidence that the tree is of this kind; null when it is not, or when another provider owns it. */
  detect(tree: SourceTree): Promise<string[] | null>;
  plan(tree: SourceTree, context: PlanContext): Promise<BuildPlan>;
}

/** A plan without content, for providers to fill. */
export function emptyPlan(provider: string, evidence: string[]): BuildPlan {
  return {
    provider,
    evidence,
    versions: {},
    package_manager: null,
    framework: null,
    dockerfile_path: null,
    context: null,
    directory: "",
    ignore: [],
    build_image: null,
    run_image: null,
    stages: [],
    args: [],
    public_args: [],
    build_env: {},
    secrets: [],
    static: null,
    processes: {},
    release_command: null,
    pre_build: null,
    post_deploy: null,
    config: {},
    formation: {},
    port: null,
    env: {},
    volumes: [],
    hardened: true,
    warnings: [],
  };
}
