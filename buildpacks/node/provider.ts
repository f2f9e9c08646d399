import { join } from "node:path/posix";
import type { BuildPlan, Choice, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { serveFiles } from "../static/files-image.ts";
import { present } from "../steps.ts";
import { chooseFramework, type Framework } from "./framework.ts";
import { chooseNodeVersion } from "./node-version.ts";
import { type PackageJson, readPackageJson } from "./package-json.ts";
import { choosePackageManager, type PackageManager } from "./package-manager.ts";
import { nodeStages, runSteps, type StageFacts } from "./stages.ts";
import { chooseStart, type StartCommand } from "./start-command.ts";
import { type AppPackage, appPackage, inDirectory, pnpmPackages } from "./workspace.ts";

/** Trees whose package.json is only for the assets of another language's framework. */
const OWNED_BY_OTHERS = ["config/application.rb", "manage.py", "artisan", "mix.exs"];

/** Programs and sites of the JavaScript world: npm, yarn, pnpm, bun. */
export const nodeProvider: Provider = {
  name: "node",
  looks_for: "package.json (Node, Bun)",
  start_from: "scripts.start and main in package.json, index.js, server.js, app.js",
  async detect(tree) {
    if (!(await tree.has("package.json")) || (await firstOf(tree, OWNED_BY_OTHERS)) !== null) return null;
    const pkg = await readPackageJson(tree);
    if (pkg === null || (await isOnlyTooling(tree, pkg))) return null;
    return ["package.json"];
  },
  plan: planNode,
};

/** A plain site with a package.json for its linter: the static provider's. */
async function isOnlyTooling(tree: SourceTree, pkg: PackageJson): Promise<boolean> {
  if (pkg.scripts.build !== undefined || pkg.scripts.start !== undefined || pkg.main !== null) return false;
  const program = await firstOf(tree, [
    "Procfile",
    "server.js",
    "index.js",
    "app.js",
    "index.mjs",
    "index.ts",
  ]);
  return program === null && (await tree.has("index.html"));
}

interface Findings {
  /** The root's. */
  pkg: PackageJson;
  /** What is built and started: the root, or a member of its workspace. */
  app: AppPackage;
  isWorkspace: boolean;
  manager: PackageManager;
  framework: Framework | null;
  start: StartCommand | null;
  has_public: boolean;
  /** Every command that will run, for what the image must hold. */
  commands: string[];
}

async function planNode(tree: SourceTree, { procfile, evidence }: PlanContext): Promise<BuildPlan> {
  const pkg = (await readPackageJson(tree))!;
  const manager = await choosePackageManager(tree, pkg);
  const app = await appPackage(tree, pkg);
  const framework = await chooseFramework(app.tree, app.pkg);
  const own = await chooseStart(app.tree, app.pkg, manager, framework);
  const start = own && inDirectory(app.directory, own);
  const commands = [...procfile.values(), ...(procfile.has("web") ? [] : [start?.command.join(" ") ?? ""])];
  const has_public = await tree.has("public");
  const isWorkspace = pkg.workspaces.length > 0 || (await pnpmPackages(tree)).length > 0;
  const findings = { pkg, app, isWorkspace, manager, framework, start, commands, has_public };

  const plan = emptyPlan("node", evidence);
  plan.package_manager = manager.choice;
  plan.framework = framework?.choice ?? null;
  plan.warnings.push(...manager.warnings, ...(framework?.warnings ?? []));
  const image = await chooseImage(tree, plan, findings);
  const facts = await stageFacts(tree, findings, image);
  plan.build_image = image;
  plan.stages = nodeStages(facts);
  if (app.directory !== "") plan.evidence.push(`${app.directory}/package.json`);
  if (framework?.files && !procfile.has("web")) return asFiles(plan, framework.files, app.directory);
  return asProgram(plan, findings, facts);
}

async function chooseImage(
  tree: SourceTree,
  plan: BuildPlan,
  { pkg, manager }: Findings,
): Promise<Choice<string>> {
  if (manager.name === "bun") {
    plan.versions.bun = { value: "1", from: manager.choice.from };
    return { value: "oven/bun:1-slim", from: manager.choice.from };
  }
  const { version, warnings } = await chooseNodeVersion(tree, pkg);
  plan.versions.node = version;
  plan.warnings.push(...warnings);
  return { value: `node:${version.value}-bookworm-slim`, from: version.from };
}

async function stageFacts(tree: SourceTree, findings: Findings, image: Choice<string>): Promise<StageFacts> {
  const { pkg, app, manager, framework, isWorkspace } = findings;
  const build = buildCommand(findings);
  const ownScripts = installScripts(pkg);
  const whole = ownScripts.length > 0 || isWorkspace;
  const development = Object.keys(pkg.devDependencies).length > 0;
  const keep = isWorkspace || manager.prune === null || !development || needsDevelopment(findings);
  // Without a build nothing needs the packages of development: they are never installed.
  const lean = build === null && !keep && !whole && pkg.scripts.prepare === undefined;
  const production = Object.keys(pkg.dependencies).length > 0 || isWorkspace;
  const prune = !keep && !lean && framework?.files == null;
  return {
    build_image: image.value,
    run_image: image.value,
    manager,
    manifests: whole
      ? ["."]
      : await present(tree, [
          "package.json",
          ...(manager.lockfile === null ? [] : [manager.lockfile]),
          ...manager.reads,
        ]),
    install: lean ? { value: manager.install_production, from: manager.install.from } : manager.install,
    build,
    build_caches: framework?.choice.value.startsWith("Next")
      ? { next: join("/app", app.directory, ".next/cache") }
      : {},
    prune,
    has_dependencies: production || (development && !lean),
    runs_packages: production || (development && !lean && !prune),
  };
}

/** The root's build script builds a workspace in its own order; a member without one is built by itself. */
function buildCommand({ pkg, app, manager }: Findings): Choice<string> | null {
  for (const { directory, pkg: of } of [{ directory: "", pkg }, app]) {
    const script = ["heroku-postbuild", "build"].find((name) => of.scripts[name] !== undefined);
    if (script === undefined) continue;
    const line = manager.run(script).join(" ");
    const from = `scripts.${script} in ${join(directory, "package.json")}`;
    return { value: directory === "" ? line : `cd ${quote(directory)} && ${line}`, from };
  }
  return null;
}

/** Scripts that the installation runs; husky's is harmless without the tree. */
function installScripts(pkg: PackageJson): string[] {
  const names = ["preinstall", "install", "postinstall"].filter((name) => pkg.scripts[name] !== undefined);
  const prepare = pkg.scripts.prepare;
  return prepare !== undefined && !/^(is-ci \|\| )?husky( install)?( \|\| true)?$/.test(prepare)
    ? [...names, "prepare"]
    : names;
}

/** A command that starts with a tool of devDependencies (tsx, ts-node, nodemon …) needs them at run time. */
function needsDevelopment({ app: { pkg }, commands }: Findings): boolean {
  const tools = Object.keys(pkg.devDependencies).filter((name) => !(name in pkg.dependencies));
  return commands.some((line) => line.split(/[\s&|;]+/).some((word) => tools.includes(word)));
}

function asFiles(plan: BuildPlan, files: NonNullable<Framework["files"]>, directory: string): BuildPlan {
  const root = { ...files.root, value: join(directory, files.root.value) };
  serveFiles(plan, { ...files, root, stage: "build", path: `/app/${root.value}` });
  return plan;
}

function asProgram(plan: BuildPlan, findings: Findings, facts: StageFacts): BuildPlan {
  const { start, app, framework, commands, manager } = findings;
  const throughManager = manager.setup !== null && commands.some((line) => /\b(yarn|pnpm)\b/.test(line));
  const standalone = framework?.standalone === true && facts.build !== null && app.directory === "";
  plan.run_image = { value: facts.run_image, from: plan.build_image!.from };
  plan.env = {
    NODE_ENV: "production",
    HOME: "/tmp",
    PATH: [...(app.directory === "" ? [] : [app.directory]), ""].map(binaries).concat("$PATH").join(":"),
    npm_config_update_notifier: "false",
  };
  if (standalone) {
    plan.env.HOSTNAME = "0.0.0.0";
    plan.processes.web = { command: ["node", "server.js"], from: framework.choice.from };
  } else if (start !== null) plan.processes.web = start;
  plan.stages.push({
    name: "run",
    from: throughManager ? "tools" : facts.run_image,
    purpose: "The image that runs: no build tools, no root",
    env: {},
    steps: standalone ? standaloneSteps(findings.has_public) : runSteps(facts),
  });
  return plan;
}

function binaries(directory: string): string {
  return join("/app", directory, "node_modules/.bin");
}

/** Next leaves its server's files in three places (nextjs.org, "output: standalone"). */
function standaloneSteps(hasPublic: boolean): Step[] {
  const parts = [".next/static", ...(hasPublic ? ["public"] : [])];
  return [
    { type: "take", stage: "build", path: "/app/.next/standalone", to: "./" },
    ...parts.map((part): Step => ({ type: "take", stage: "build", path: `/app/${part}`, to: `./${part}` })),
  ];
}
