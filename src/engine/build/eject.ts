import type { BuildOptions, BuildPlan } from "./plan.ts";
import { planTree } from "./plan-build.ts";
import { parseProcfile } from "./procfile.ts";
import { quote } from "./quote.ts";
import { renderDockerfile } from "./render-dockerfile.ts";
import { type SourceTree, subtree } from "./tree.ts";

/** A file for the app's directory. `was`: what stands there now; null = it is new. */
export interface EjectedFile {
  path: string;
  text: string;
  was: string | null;
}

export interface Ejected {
  plan: BuildPlan;
  files: EjectedFile[];
}

/**
 * What a buildpack does for an app, as files of the app's own: the Dockerfile, which lines to keep out of its
 * context, and in the Procfile what a Dockerfile cannot say. With them in the repository the app is built and started
 * as before. Throws what `planTree` throws.
 */
export async function eject(tree: SourceTree, options: BuildOptions): Promise<Ejected> {
  const plan = await planTree(tree, { ...options, mode: "buildpack" });
  const context = plan.context ?? tree.subdirectory;
  const files = [
    await file(tree, "Dockerfile", dockerfile(plan, tree.subdirectory)),
    await ignoreFile(tree, context, plan),
    await procfile(tree, plan),
  ];
  return { plan, files: files.filter(({ text, was }) => text !== "" && text !== was) };
}

async function file(tree: SourceTree, path: string, text: string): Promise<EjectedFile> {
  return { path, text, was: await tree.read(path) };
}

function dockerfile(plan: BuildPlan, subdirectory: string): string {
  const [title = "", ...rest] = renderDockerfile(plan).split("\n");
  const made = title.replace(/ Keep this file as Dockerfile to change it\.$/, "");
  const wider = plan.context !== null && plan.context !== subdirectory;
  const where = plan.context === "" ? "the repository's root" : plan.context;
  const path = [...(subdirectory === "" ? [] : [subdirectory]), "Dockerfile"].join("/");
  return [
    made,
    "# It is yours now: Diplo builds with it as it stands. Anywhere else it needs BuildKit:",
    wider ? `#   docker build -f ${path} . (in ${where})` : "#   docker build .",
    ...rest,
  ].join("\n");
}

/** For a context that is wider than the app, the Dockerfile has a list of its own, which takes the place of the context's. */
async function ignoreFile(tree: SourceTree, context: string, plan: BuildPlan): Promise<EjectedFile> {
  const own = context === tree.subdirectory;
  const path = own ? ".dockerignore" : "Dockerfile.dockerignore";
  const was = await tree.read(path);
  const base = was ?? (own ? null : await subtree(tree.root, context).read(".dockerignore")) ?? "";
  const known = new Set(base.split(/\r?\n/).map((line) => line.trim()));
  const missing = plan.ignore.filter((line) => !known.has(line));
  return { path, text: joined(base, missing, "What the build brings itself"), was };
}

/** Processes and a release command that the buildpack found: the Procfile is where they are said of any image. */
async function procfile(tree: SourceTree, plan: BuildPlan): Promise<EjectedFile> {
  const was = await tree.read("Procfile");
  const said = parseProcfile(was ?? "");
  const found = Object.entries(plan.processes).flatMap(([name, { command }]) =>
    name === "web" || command === null ? [] : [[name, command] as const],
  );
  const release = plan.release_command;
  const fromAppJson = release?.from.endsWith("app.json") === true;
  const all = [...found, ...(release && !fromAppJson ? [["release", release.value] as const] : [])];
  const lines = all.filter(([name]) => !said.has(name)).map(([name, command]) => `${name}: ${line(command)}`);
  return { path: "Procfile", text: joined(was ?? "", lines, "Found by Diplo's buildpack"), was };
}

function line(command: string[]): string {
  const [shell, flag, script] = command;
  if (shell === "sh" && flag === "-c" && script !== undefined && command.length === 3) return script;
  return command.map(quote).join(" ");
}

function joined(text: string, lines: string[], reason: string): string {
  if (lines.length === 0) return text;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${before}# ${reason}\n${lines.join("\n")}\n`;
}
