import type { BuildPlan, RunStep, Stage, Step } from "./plan.ts";
import { bringsTree } from "./pre-build.ts";
import { quoteEnv } from "./quote.ts";

const WORKING_DIRECTORY = "/app";
/** Build argument that changes when a secret does. */
export const SECRETS_VERSION = "DIPLO_BUILD_SECRETS";
const PLAIN = /^[A-Za-z0-9_\-./@+]+$/;
/** Any id but 0; the same on every image, so that volumes keep their owner when a base image changes. */
const RUN_USER = "1000:1000";

/** Caches whose content a lockfile's checksums prove on every use: all apps of a box share them. */
const PROVEN = new Set([
  "npm",
  "yarn",
  "yarn-berry",
  "pnpm",
  "bun",
  "go-modules",
  "cargo-registry",
  "bundler",
]);

/**
 * The plan as a Dockerfile: same plan, same bytes. Needs BuildKit for its cache and secret mounts, and nothing
 * newer than its built-in frontend. With `cacheScope` (an app's id), caches of built things are the app's own, so
 * that no app's build can change another's.
 */
export function renderDockerfile(plan: BuildPlan, cacheScope = ""): string {
  if (plan.dockerfile_path !== null) throw new Error("the plan uses the repository's own Dockerfile");
  const head = `# ${titleOf(plan)}. Keep this file as Dockerfile to change it.`;
  const stages = plan.stages.map((stage, index) =>
    renderStage(plan, stage, index === plan.stages.length - 1, cacheScope),
  );
  return `${[head, ...stages].join("\n\n")}\n`;
}

function titleOf(plan: BuildPlan): string {
  const what = [plan.framework?.value, plan.package_manager?.value].filter(Boolean).join(", ");
  return `Made by Diplo: ${plan.provider}${what === "" ? "" : ` (${what})`}, because of ${plan.evidence.join(", ")}`;
}

function renderStage(plan: BuildPlan, stage: Stage, last: boolean, cacheScope: string): string {
  const isImage = !plan.stages.some(({ name }) => name === stage.from);
  const lines = [`# ${stage.purpose}`, `FROM ${stage.from} AS ${stage.name}`];
  if (isImage && stage.from !== "scratch") lines.push(`WORKDIR ${WORKING_DIRECTORY}`);
  const runsTheirs = stage.steps.some(isTheirs);
  if (runsTheirs) lines.push(...argsOf(plan).map((name) => `ARG ${name}`));
  // In the image that runs, an argument with a default: seen by the steps, gone afterwards.
  if (runsTheirs && last)
    lines.push(...Object.entries(plan.build_env).map(([name, value]) => `ARG ${name}=${quoteEnv(value)}`));
  const building = runsTheirs && !last ? { ...stage.env, ...plan.build_env } : stage.env;
  lines.push(...renderEnv(last ? { ...stage.env, ...plan.env, PORT: String(portOf(plan)) } : building));
  const builds = buildsTree(plan, stage);
  for (const step of stage.steps) {
    if (step === builds) lines.push(...plan.public_args.map((name) => `ARG ${name}`));
    lines.push(renderStep(plan, step, cacheScope));
  }
  if (last) lines.push(...renderRun(plan));
  return lines.join("\n");
}

function isTheirs(step: Step): step is RunStep {
  return step.type === "run" && step.secrets;
}

/** A secret's value is no part of what BuildKit compares; the version of it that the build was given is. */
function argsOf({ args, secrets }: BuildPlan): string[] {
  return secrets.length > 0 ? [...args, SECRETS_VERSION] : args;
}

/** The first step of a stage that runs the person's code on their whole tree. */
function buildsTree({ stages }: BuildPlan, stage: Stage): Step | undefined {
  const parent = stages.find(({ name }) => name === stage.from);
  const from = parent?.steps.some(bringsTree) ? 0 : stage.steps.findIndex(bringsTree);
  return from < 0 ? undefined : stage.steps.slice(from).find(isTheirs);
}

function renderEnv(env: Record<string, string>): string[] {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${envWord(value)}`);
  return pairs.length === 0 ? [] : [`ENV ${pairs.join(" \\\n    ")}`];
}

/** `$PATH` at the end is the one variable that our own plans let the builder expand. */
function envWord(value: string): string {
  return value.endsWith(":$PATH") ? `${quoteEnv(value.slice(0, -5)).slice(0, -1)}$PATH"` : quoteEnv(value);
}

function renderStep(plan: BuildPlan, step: Step, cacheScope: string): string {
  switch (step.type) {
    case "copy":
      return `COPY ${copyWords([...step.paths, step.to])}`;
    case "take":
      return `COPY --from=${step.stage} ${copyWords([step.path, step.to])}`;
    case "run":
      return renderRunStep(plan, step, cacheScope);
  }
}

/** A path that the builder is to take as it stands. */
function word(path: string): string {
  return PLAIN.test(path) ? path : quoteEnv(path);
}

/** The JSON form, as soon as a name has anything that the plain form would read differently. */
function copyWords(words: string[]): string {
  if (words.every((word) => PLAIN.test(word))) return words.join(" ");
  return JSON.stringify(words.map((word) => word.replace(/[\\$]/g, "\\$&")));
}

function renderRunStep(plan: BuildPlan, step: RunStep, cacheScope: string): string {
  const idOf = (id: string) => (cacheScope === "" || PROVEN.has(id) ? id : `${cacheScope}-${id}`);
  const secrets = step.secrets ? plan.secrets : [];
  const mounts = [
    ...Object.entries(step.caches).map(([id, path]) => `--mount=type=cache,id=${idOf(id)},target=${path}`),
    ...step.mounts.map(
      ({ stage, path, to }) => `--mount=type=bind,from=${stage},source=${path},target=${to},rw`,
    ),
    ...secrets.map((name) => `--mount=type=secret,id=${name}`),
  ];
  const exports = secrets.map((name) => `export ${name}="$(cat /run/secrets/${name})" && `);
  return `${commentOf(step.command.from)}\nRUN ${[...mounts, exports.join("") + step.command.value].join(" \\\n    ")}`;
}

function renderRun(plan: BuildPlan): string[] {
  const web = plan.processes.web;
  const lines = plan.directory ? [`WORKDIR ${word(`${WORKING_DIRECTORY}/${plan.directory}`)}`] : [];
  if (plan.volumes.length > 0) lines.push(`VOLUME ${JSON.stringify(plan.volumes)}`);
  lines.push(`USER ${RUN_USER}`);
  if (web !== undefined) lines.push(`EXPOSE ${portOf(plan)}`);
  if (web?.command) lines.push(commentOf(web.from), `CMD ${JSON.stringify(web.command)}`);
  return lines;
}

/** Where a choice comes from; reasons of ours are whole phrases already. */
function commentOf(from: string): string {
  return /^(because|for|to) /.test(from) ? `# ${from}` : `# from ${from}`;
}

/** What the program gets when the engine says nothing; Diplo always says something. */
function portOf(plan: BuildPlan): number {
  return plan.port?.value ?? 8080;
}
