import { join } from "node:path/posix";
import type { Choice } from "../../src/engine/build/plan.ts";
import type { Procfile } from "../../src/engine/build/procfile.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { subtree } from "../../src/engine/build/tree.ts";
import { present } from "../steps.ts";
import type { Framework } from "./framework.ts";
import { holding, type InstallScripts, installScripts } from "./install-scripts.ts";
import { dependsOn, type PackageJson, readPackageJson } from "./package-json.ts";
import type { PackageManager } from "./package-manager.ts";
import type { StageFacts } from "./stages.ts";
import type { StartCommand } from "./start-command.ts";
import type { Workspace } from "./workspace.ts";

/** What was found out about a tree, for its stages. */
export interface Findings {
  workspace: Workspace;
  manager: PackageManager;
  framework: Framework | null;
  start: StartCommand | null;
  /** Every command that will run, for what the image must hold. */
  commands: string[];
  procfile: Procfile;
}

export async function stageFacts(findings: Findings, image: string): Promise<StageFacts> {
  const { workspace, manager, framework } = findings;
  const { pkg, app } = workspace;
  const scripts = installScripts(pkg);
  const isWorkspace = workspace.members === null || workspace.members.length > 0;
  const manifests = await manifestsOf(findings, scripts);
  const whole = manifests[0] === ".";
  const build = buildLines(findings, whole ? [] : scripts.deferred);
  const development = isWorkspace || Object.keys(pkg.devDependencies).length > 0;
  // Bun installs anew where others take away, and with that what scripts wrote into packages.
  const keepsDevelopment =
    manager.prune === null ||
    !development ||
    needsDevelopment(findings) ||
    (manager.name === "bun" && scripts.deferred.length > 0);
  // Without a build nothing needs the packages of development: they are never installed.
  const lean = build.length === 0 && !keepsDevelopment && !whole && !isWorkspace;
  const production = Object.keys(pkg.dependencies).length > 0 || isWorkspace;
  const prune = !keepsDevelopment && !lean && framework?.files == null;
  const has_dependencies = production || (development && !lean);
  const install = lean ? manager.install_production : manager.install.value;
  return {
    image,
    manager,
    manifests,
    install: { value: whole ? install : holding(scripts, manager, install), from: manager.install.from },
    build,
    finish: framework?.finish
      ? { ...framework.finish, value: within(app.directory, framework.finish.value) }
      : null,
    build_env: framework?.build_env ?? {},
    build_caches: framework?.build_cache
      ? {
          [`build-${app.directory.replaceAll("/", "-") || "app"}`]: join(
            "/app",
            app.directory,
            framework.build_cache,
          ),
        }
      : {},
    prune,
    has_dependencies,
    runs_packages: production || (development && !lean && !prune),
    in_place: has_dependencies && (isWorkspace || whole || scripts.deferred.length > 0),
  };
}

/** Every file that decides what is installed; the whole tree where that cannot be told beforehand. */
async function manifestsOf({ workspace, manager }: Findings, scripts: InstallScripts): Promise<string[]> {
  const { tree, pkg, members } = workspace;
  if (members === null || scripts.needsTree || hasLocalPackages(pkg)) return ["."];
  for (const member of members) {
    const inside = await readPackageJson(subtree(tree, member)).catch(() => null);
    // Scripts of members run with the installation of the whole.
    if (inside === null || installScripts(inside).held.length > 0 || hasLocalPackages(inside)) return ["."];
  }
  return present(tree, [
    "package.json",
    ...(manager.lockfile === null ? [] : [manager.lockfile]),
    ...manager.reads,
    "patches/",
    ...members.map((member) => `${member}/package.json`),
  ]);
}

/** Packages that are directories or archives of the tree. */
function hasLocalPackages({ dependencies, devDependencies }: PackageJson): boolean {
  return [...Object.values(dependencies), ...Object.values(devDependencies)].some((version) =>
    /^(file|link|portal):/.test(version),
  );
}

/** What the installation left for later, then the build. */
function buildLines(findings: Findings, deferred: string[]): Choice<string>[] {
  const { manager } = findings;
  const build = buildLine(findings);
  return [
    ...deferred.map((name) => ({
      value: manager.run(name).join(" "),
      from: `scripts.${name} in package.json`,
    })),
    ...(build === null ? [] : [build]),
  ];
}

function within(directory: string, line: string): string {
  return directory === "" ? line : `cd ${quote(directory)} && ${line}`;
}

/** A member is built with those it rests on, by what knows them; else by the root's script, else by itself. */
function buildLine({ workspace: { pkg, app }, manager }: Findings): Choice<string> | null {
  const scriptOf = (of: PackageJson) =>
    ["heroku-postbuild", "build"].find((name) => of.scripts[name] !== undefined) ?? null;
  const { directory } = app;
  if (directory !== "" && app.pkg.scripts.build !== undefined) {
    const path = quote(`./${directory}`);
    if (dependsOn(pkg, "turbo"))
      return { value: `node_modules/.bin/turbo run build --filter=${path}`, from: "turbo in package.json" };
    if (manager.name === "pnpm") {
      const from = `scripts.build in ${directory}/package.json, and in those it rests on`;
      return { value: `pnpm --filter ${quote(`./${directory}...`)} run build`, from };
    }
  }
  const root = scriptOf(pkg);
  if (root !== null) return { value: manager.run(root).join(" "), from: `scripts.${root} in package.json` };
  const own = scriptOf(app.pkg);
  if (own === null) return null;
  const from = `scripts.${own} in ${join(directory, "package.json")}`;
  return { value: within(directory, manager.run(own).join(" ")), from };
}

/** A command that starts with a tool of devDependencies (tsx, ts-node, nodemon …) needs them at run time. */
function needsDevelopment({ workspace: { app, pkg }, commands }: Findings): boolean {
  const tools = [pkg, app.pkg].flatMap(({ devDependencies, dependencies }) =>
    Object.keys(devDependencies).filter((name) => !(name in dependencies)),
  );
  const words = commands.flatMap((line) => line.split(/[\s&|;]+/));
  return words.some((word) => tools.some((tool) => word === tool || word.startsWith(`${tool}/`)));
}
