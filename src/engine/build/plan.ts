import type { BuildLine } from "../runtime/container-runtime.ts";
import type { AppJsonVar, Formation } from "./app-json.ts";

/** A value and where it came from, e.g. `{ value: "22", from: "engines.node in package.json" }`. */
export interface Choice<T> {
  value: T;
  from: string;
}

/** One stage of the generated Dockerfile. The last stage of a plan is the image that runs. */
export interface Stage {
  name: string;
  /** An image, or the name of an earlier stage. */
  from: string;
  /** One line for the reader of the Dockerfile. */
  purpose: string;
  env: Record<string, string>;
  steps: Step[];
}

export type Step =
  /** Files of the tree; `["."]` is all of it. `to` is relative to the working directory and ends with `/`. */
  | { type: "copy"; paths: string[]; to: string }
  /** Files of an earlier stage. */
  | { type: "take"; stage: string; path: string; to: string }
  | RunStep;

export interface RunStep {
  type: "run";
  /** A shell line of ours; values of a person stand in it only through `quote()`. */
  command: Choice<string>;
  /** Cache mounts: id → absolute path. */
  caches: Record<string, string>;
  /** Directories of earlier stages, writable for this command only, never part of the image. */
  mounts: { stage: string; path: string; to: string }[];
  /** Runs the person's code: sees the build's secrets. */
  secrets: boolean;
}

/** How a tree becomes an image: pure data, made without an engine, rendered by `render-dockerfile.ts`. */
export interface BuildPlan {
  /** `dockerfile`, or the buildpack's name: `node`, `static`, … */
  provider: string;
  /** Why this provider, e.g. `package.json`. */
  evidence: string[];
  /** Runtimes and package managers by name. */
  versions: Record<string, Choice<string>>;
  package_manager: Choice<string> | null;
  framework: Choice<string> | null;
  /** Set for provider `dockerfile`: path from the app's directory. */
  dockerfile_path: string | null;
  build_image: Choice<string> | null;
  run_image: Choice<string> | null;
  /**
   * The directory that the build sees and the paths of `copy` start from, relative to the repository's root: "" is
   * the root itself. null = the app's own directory, which is all that most apps need; a member of a workspace names
   * the directory of the workspace's lockfile.
   */
  context: string | null;
  /**
   * Where the image starts its commands, below /app: "" or the app's place in the context, e.g. `apps/web`. Lines of
   * a Procfile and of package.json count from there. Steps of the build start in /app, whatever this says.
   */
  directory: string;
  /**
   * What of the context must not reach the image, as lines of a .dockerignore (`node_modules`, `__pycache__`),
   * counted from the context. They come after the repository's own lines and win: directories of installed packages
   * that somebody committed would lie over those that the build installs. Not for provider `dockerfile`.
   */
  ignore: string[];
  /** Empty for provider `dockerfile`. */
  stages: Stage[];
  /** Names of build arguments, declared in each stage that runs the person's code. */
  args: string[];
  /** Names of arguments that are for the built page: declared where the tree is built, so packages stay cached. */
  public_args: string[];
  /** Variables of the stages that run the person's code; the running image has its config instead. */
  build_env: Record<string, string>;
  /** Names of secrets mounted into each step that runs the person's code. */
  secrets: string[];
  /** Set when the result is a file tree to be served, not a program. */
  static: { root: Choice<string>; index: string; spa: Choice<boolean> } | null;
  /**
   * Long-running processes by name. `command: null` = the image's own CMD. argv of one shell-free command;
   * Procfile lines become `["sh", "-c", line]`.
   */
  processes: Record<string, { command: string[] | null; from: string }>;
  /** Run once in the new image before traffic moves (Procfile `release`). */
  release_command: Choice<string[]> | null;
  /** A command of the person that ran before everything else; its stage stands in `stages` already. */
  pre_build: Choice<string> | null;
  /** Run once in the new image when it is live; `first_only`: after the app's first deployment and never again. */
  post_deploy: (Choice<string[]> & { first_only: boolean }) | null;
  /** Config that app.json asks for. */
  config: Record<string, AppJsonVar>;
  /** How many instances of each process the first deployment starts, as app.json says. */
  formation: Record<string, Formation>;
  /** Port the web process listens on when the app sets none; null = the image's only EXPOSE, else 8080. */
  port: Choice<number> | null;
  env: Record<string, string>;
  /** Paths kept in volumes of the environment. */
  volumes: string[];
  /** Image is ours: may run with all capabilities dropped, non-root, read-only root. */
  hardened: boolean;
  warnings: string[];
}

export interface BuildOptions {
  /** Force a provider; `auto` = the person's Dockerfile, else the first buildpack that matches. */
  mode: "auto" | "dockerfile" | "buildpack";
  buildpack: string | null;
  /** From the app's directory; with a `/` in front from the repository's root, as `context` too. */
  dockerfile_path: string | null;
  /** What a Dockerfile's build sees; null = the app's directory. */
  context: string | null;
  target: string | null;
  args: Record<string, string>;
  /** Arguments that are meant for the built page (`isPublicName`). */
  public_args: Record<string, string>;
  /** Variables of the building steps. */
  env: Record<string, string>;
  /** Names of config values that the build may see (as secrets, never in layers). */
  secrets: Record<string, string>;
  /** The app's own pre_build hook, which wins over app.json's. */
  pre_build: Choice<string> | null;
}

export type OnBuildLine = (line: BuildLine) => void;
