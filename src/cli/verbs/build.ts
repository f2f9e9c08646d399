import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { EjectedFile } from "../../engine/build/eject.ts";
import type { BuildOptions } from "../../engine/build/plan.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { COMMON, flag } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

export const build: Verb = {
  name: "build",
  summary: "How a directory would be built: the plan, where each choice comes from, the Dockerfile",
  usage: "--plan|--eject <dir>",
  notes: "Needs no engine and no running Diplo.",
  flags: [
    flag("plan", "boolean", "only show it; building is what deploy does"),
    flag("eject", "boolean", "write it into the directory as a Dockerfile of your own"),
    flag("force", "boolean", "with --eject: in the place of a Dockerfile that is there"),
    flag("subdirectory", "text", "the app's place in a repository that holds more", { placeholder: "DIR" }),
    flag("buildpack", "text", "as if this buildpack were asked for", { placeholder: "NAME" }),
    flag("args", "list", "config that the built page contains, e.g. VITE_API", { placeholder: "A,B" }),
    flag("secrets", "list", "config that the build reads and nothing keeps, e.g. NPM_TOKEN", {
      placeholder: "A,B",
    }),
    ...COMMON.filter(({ name }) => name !== "data"),
  ],
  example: "diplo build --plan .",
  run: async ({ flags, positionals }, context) => {
    const ejects = flags.get("eject") === true;
    if (ejects === (flags.get("plan") === true))
      throw new UsageError("wants --plan or --eject", "To build and run it: diplo deploy <dir>");
    if (positionals.length > 1) throw new UsageError(`"${positionals[1]}" is one argument too many`);
    const root = directoryAt(resolve(context.io.directory, positionals[0] ?? "."));
    const subdirectory = (flags.get("subdirectory") as string | undefined) ?? "";
    const app = directoryAt(resolve(root, subdirectory));
    if (app !== root && !app.startsWith(`${root}/`)) throw new UsageError(`${app} is not below ${root}`);
    const { openDirectoryTree } = await import("../../engine/build/directory-tree.ts");
    const tree = await openDirectoryTree(root, subdirectory);
    const options = await optionsOf(flags);
    if (ejects) {
      const { eject } = await import("../../engine/build/eject.ts");
      const { plan, files } = await eject(tree, options);
      await write(app, files, flags.get("force") === true, context);
      const seen = plan.context === null || plan.context === tree.subdirectory ? null : `/${plan.context}`;
      if (seen !== null)
        context.io.err(
          `Its build sees more than its directory: diplo apps:set -a NAME --build.context ${seen}\n`,
        );
      return EXIT.ok;
    }
    const { planTree } = await import("../../engine/build/plan-build.ts");
    const { describePlan } = await import("../../engine/build/describe-plan.ts");
    const plan = await planTree(tree, options);
    if (context.json) context.printJson(plan);
    else context.io.out(describePlan(plan));
    return EXIT.ok;
  },
};

async function optionsOf(flags: ReadonlyMap<string, unknown>): Promise<BuildOptions> {
  const { DEFAULT_BUILD_OPTIONS } = await import("../../engine/build/plan-build.ts");
  const buildpack = (flags.get("buildpack") as string | undefined) ?? null;
  const named = (name: string) =>
    Object.fromEntries(((flags.get(name) as string[] | undefined) ?? []).map((key) => [key, ""]));
  return {
    ...DEFAULT_BUILD_OPTIONS,
    mode: buildpack ? "buildpack" : "auto",
    buildpack,
    public_args: named("args"),
    secrets: named("secrets"),
  };
}

/** Files that are there are only added to, but for a Dockerfile, which is replaced when that was asked for. */
async function write(
  directory: string,
  files: EjectedFile[],
  force: boolean,
  context: CliContext,
): Promise<void> {
  const dockerfile = files.find(({ path }) => path === "Dockerfile");
  if (dockerfile && dockerfile.was !== null && !force)
    throw new UsageError("there is a Dockerfile already", "--force puts the new one in its place.");
  for (const { path, text } of files) await writeFile(join(directory, path), text);
  if (context.json)
    return context.printJson(files.map(({ path, was }) => ({ path, was_there: was !== null })));
  const { io } = context;
  if (files.length === 0) io.out("Everything is there already.\n");
  for (const { path, was } of files)
    io.out(`${was === null ? "wrote" : path === "Dockerfile" ? "replaced" : "added to"} ${path}\n`);
}

function directoryAt(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new UsageError(`${path} is no directory`);
}
