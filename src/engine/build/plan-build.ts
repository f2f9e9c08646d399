import { join, relative } from "node:path/posix";
import { providers } from "../../../buildpacks/index.ts";
import { invalid, PermanentError } from "../../errors.ts";
import { readAppJson } from "./app-json.ts";
import { applyAppJson } from "./apply-app-json.ts";
import { openDirectoryTree } from "./directory-tree.ts";
import { providerOfBuildpack } from "./heroku-buildpacks.ts";
import type { BuildOptions, BuildPlan, Choice } from "./plan.ts";
import { withPreBuild } from "./pre-build.ts";
import { type Procfile, parseProcfile } from "./procfile.ts";
import { emptyPlan, type Provider } from "./provider.ts";
import { firstOf, normalisePath, type SourceTree, subtree } from "./tree.ts";

export const DEFAULT_BUILD_OPTIONS: BuildOptions = {
  mode: "auto",
  buildpack: null,
  dockerfile_path: null,
  target: null,
  context: null,
  args: {},
  public_args: {},
  env: {},
  secrets: {},
  pre_build: null,
};

const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/** As `docker build` looks for it. */
const DOCKERFILES = ["Dockerfile", "dockerfile"];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Decides how a repository's directory, or the app in a `subdirectory` of it, becomes an image. Reads files only: no
 * engine, no network. Throws PermanentError `nothing_detected`, `compose_not_supported`, `no_start_command`,
 * `procfile_invalid` or `app_json_invalid`.
 */
export async function planBuild(
  directory: string,
  options: BuildOptions,
  subdirectory = "",
): Promise<BuildPlan> {
  return planTree(await openDirectoryTree(directory, subdirectory), options);
}

/** `planBuild` for any tree. */
export async function planTree(tree: SourceTree, options: BuildOptions): Promise<BuildPlan> {
  const procfile = parseProcfile((await tree.read("Procfile")) ?? "");
  const dockerfile = options.mode === "buildpack" ? null : await findDockerfile(tree, options);
  const app = await readAppJson(tree);
  const plan =
    dockerfile !== null
      ? dockerfilePlan(dockerfile, tree, options)
      : await buildpackPlan(tree, procfile, options.buildpack, app.buildpacks);
  plan.args = namesOf("args", options.args);
  plan.public_args = namesOf("args", options.public_args).filter((name) => !plan.args.includes(name));
  plan.secrets = namesOf("secrets", options.secrets);
  namesOf("env", options.env);
  plan.build_env = options.env;
  plan.warnings.push(...(await misnamed(tree)));
  applyAppJson(withProcfile(plan, procfile), app);
  const { pre_build } = app.hooks;
  const own = pre_build === null ? null : { value: pre_build, from: "hooks.pre_build in app.json" };
  return printable(hooked(plan, options.pre_build ?? own));
}

/** Names are told apart by case here, which their authors' own system may not do. */
async function misnamed(tree: SourceTree): Promise<string[]> {
  if (await tree.has("Procfile")) return [];
  const names = (await tree.list("")).map(({ name }) => name);
  return names
    .filter((name) => name.toLowerCase() === "procfile")
    .map((name) => `${name} is not read: its name has to be Procfile`);
}

/** What a Dockerfile of the person's own does is theirs to say: nothing of ours is put into it. */
function hooked(plan: BuildPlan, command: Choice<string> | null): BuildPlan {
  if (plan.dockerfile_path === null) return command === null ? plan : withPreBuild(plan, command);
  if (command !== null)
    plan.warnings.push(
      `the pre_build hook (from ${command.from}) does not run: with a Dockerfile of your own, put it there as RUN`,
    );
  const names = Object.keys(plan.build_env);
  if (names.length > 0)
    plan.warnings.push(
      `build.env (${names.join(", ")}) does not reach a Dockerfile of your own: declare ARG and use build.args`,
    );
  return plan;
}

/** Path of the Dockerfile from the app's directory. */
async function findDockerfile(tree: SourceTree, options: BuildOptions): Promise<string | null> {
  const path = options.dockerfile_path ?? (await firstOf(tree, DOCKERFILES)) ?? DOCKERFILES[0]!;
  const place = placeOf("dockerfile_path", tree, path);
  if ((await tree.root.read(place)) !== null) return relative(tree.subdirectory, place);
  if (options.dockerfile_path === null && options.mode === "auto") return null;
  throw new PermanentError("nothing_detected", `no ${path} in the tree`, {
    detail: `The repository has no file "${path}".`,
    hint: "Set the path of its Dockerfile, or let Diplo choose a buildpack (build mode auto).",
  });
}

function dockerfilePlan(path: string, tree: SourceTree, { context }: BuildOptions): BuildPlan {
  return {
    ...emptyPlan("dockerfile", [path]),
    dockerfile_path: path,
    context: context === null ? null : placeOf("context", tree, context),
    processes: { web: { command: null, from: `CMD of ${path}` } },
    hardened: false,
  };
}

/** Where a path of the app's settings leads, from the repository's root: out of the app's directory, never out of that. */
function placeOf(field: string, tree: SourceTree, path: string): string {
  const place = normalisePath(path.startsWith("/") ? path.slice(1) : join(tree.subdirectory, path));
  if (place !== null) return place;
  throw invalid(`build.${field}`, `"${path}" leads out of the repository`);
}

async function buildpackPlan(
  tree: SourceTree,
  procfile: Procfile,
  forced: string | null,
  buildpacks: string[],
): Promise<BuildPlan> {
  const { provider, evidence, warnings } =
    forced === null && buildpacks.length > 0
      ? await chooseByBuildpacks(tree, buildpacks)
      : { ...(await chooseProvider(tree, forced)), warnings: [] };
  const plan = await provider.plan(tree, { procfile, evidence });
  plan.warnings.push(...warnings);
  if (!isStarted(plan, procfile)) {
    const inside = await appsBelow(tree, providers);
    const line = "a Procfile with a line such as `web: <command>`.";
    throw new PermanentError("no_start_command", `${provider.name}: no start command`, {
      detail: `This is a ${provider.name} app, but nothing says how to start it. Looked at: ${provider.start_from}.`,
      hint: inside.length > 0 ? `${subdirectoryHint(inside)} Or add ${line}` : `Add ${line}`,
      evidence: await misnamed(tree),
    });
  }
  return plan;
}

/** Whether anything says how the app is started, or it is files alone. */
function isStarted({ processes, static: files }: BuildPlan, procfile: Procfile): boolean {
  return processes.web !== undefined || files !== null || procfile.size > 0;
}

async function chooseProvider(tree: SourceTree, forced: string | null) {
  const candidates = forced === null ? providers : providers.filter(({ name }) => name === forced);
  if (candidates.length === 0) {
    throw invalid("buildpack", `"${forced}" is not one of ${providers.map(({ name }) => name).join(", ")}`);
  }
  for (const provider of candidates) {
    const evidence = await provider.detect(tree);
    if (evidence !== null) return { provider, evidence };
  }
  throw await nothingDetected(tree, candidates);
}

/** Of several buildpacks the last one says how the app is started (devcenter.heroku.com, "Using Multiple Buildpacks"). */
async function chooseByBuildpacks(tree: SourceTree, buildpacks: string[]) {
  const warnings: string[] = [];
  for (const buildpack of buildpacks.toReversed()) {
    const name = providerOfBuildpack(buildpack);
    const provider = providers.find((candidate) => candidate.name === name);
    const evidence = (await provider?.detect(tree)) ?? null;
    if (provider && evidence !== null)
      return { provider, evidence: [...evidence, "buildpacks in app.json"], warnings };
    warnings.push(
      provider
        ? `${buildpack} of app.json finds nothing here: looked for ${provider.looks_for}`
        : `${buildpack} of app.json is not known here`,
    );
  }
  return { ...(await chooseProvider(tree, null)), warnings };
}

async function nothingDetected(tree: SourceTree, candidates: Provider[]): Promise<PermanentError> {
  const inside = await appsBelow(tree, candidates);
  const hint =
    inside.length > 0
      ? subdirectoryHint(inside)
      : "Add a Dockerfile, or set the subdirectory that holds the app.";
  const compose = await firstOf(tree, COMPOSE_FILES);
  if (compose !== null) {
    return new PermanentError("compose_not_supported", `only ${compose} in the tree`, {
      detail: `The repository is described by ${compose} alone, and Diplo cannot deploy compose files yet.`,
      hint: inside.length > 0 ? hint : "Add a Dockerfile for the part that answers requests.",
    });
  }
  const looked = ["Dockerfile", ...candidates.map(({ looks_for }) => looks_for)];
  const found = (await tree.list("")).slice(0, 20).map((e) => (e.directory ? `${e.name}/` : e.name));
  return new PermanentError("nothing_detected", "no Dockerfile and no provider matches", {
    detail: `Diplo could not tell how to build this repository. It looked for: ${looked.join("; ")}.`,
    hint,
    evidence: [found.length === 0 ? "The directory is empty." : `The directory holds: ${found.join(", ")}`],
  });
}

function subdirectoryHint(directories: string[]): string {
  return `Set the subdirectory that holds the app: ${directories.join(", ")}.`;
}

const MAX_HINTED = 5;
const MAX_DIRECTORIES = 20;
const INSTALLED = /^(\.|(node_modules|vendor|venv)$)/;

/** Directories one or two levels down that could be deployed by themselves, for the hint. */
async function appsBelow(tree: SourceTree, candidates: Provider[]): Promise<string[]> {
  const apps: string[] = [];
  const directoriesOf = async (path: string) =>
    (await tree.list(path))
      .filter(({ name, directory }) => directory && !INSTALLED.test(name))
      .slice(0, MAX_DIRECTORIES)
      .map(({ name }) => (path === "" ? name : `${path}/${name}`));
  const isFound = async (path: string) => {
    const found = apps.length < MAX_HINTED && (await isApp(subtree(tree, path), candidates));
    if (found) apps.push(path);
    return found;
  };
  for (const path of await directoriesOf(""))
    if (!(await isFound(path))) for (const inner of await directoriesOf(path)) await isFound(inner);
  return apps;
}

/** Whether a tree would be planned to its end; what is broken in it is no matter of the hint. */
async function isApp(tree: SourceTree, candidates: Provider[]): Promise<boolean> {
  try {
    if ((await firstOf(tree, DOCKERFILES)) !== null) return true;
    const procfile = parseProcfile((await tree.read("Procfile")) ?? "");
    for (const provider of candidates) {
      const evidence = await provider.detect(tree);
      if (evidence === null) continue;
      const plan = await provider.plan(tree, { procfile, evidence });
      return isStarted(plan, procfile);
    }
    return false;
  } catch {
    return false;
  }
}

/** A Procfile line always wins over what a provider found; `release` runs before traffic and is no process. */
function withProcfile(plan: BuildPlan, procfile: Procfile): BuildPlan {
  for (const [name, line] of procfile) {
    const command = ["sh", "-c", line];
    if (name === "release") plan.release_command = { value: command, from: "Procfile" };
    else plan.processes[name] = { command, from: "Procfile" };
  }
  return plan;
}

/** What was read from the repository and will be shown: on one line, without control sequences for terminals. */
function printable(plan: BuildPlan): BuildPlan {
  return JSON.parse(JSON.stringify(plan), (key, value) => {
    if (key === "from" && typeof value === "string") return oneLine(value);
    if (key === "evidence" || key === "warnings") return (value as string[]).map(oneLine);
    return value;
  });
}

function oneLine(text: string): string {
  return text.replace(/\p{C}+/gu, " ").slice(0, 300);
}

function namesOf(field: string, values: Record<string, string>): string[] {
  const names = Object.keys(values).sort();
  for (const name of names) {
    if (!NAME.test(name)) throw invalid(`build.${field}`, `"${name}" is not a name of letters, digits and _`);
  }
  return names;
}
