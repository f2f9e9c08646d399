import { join } from "node:path/posix";
import type { BuildPlan, Choice } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { serveFiles } from "../static/files-image.ts";
import { take } from "../steps.ts";
import { type Bundle, chooseFramework, type Framework } from "./framework.ts";
import { chooseNodeVersion } from "./node-version.ts";
import { readPackageJson } from "./package-json.ts";
import { choosePackageManager } from "./package-manager.ts";
import { isPage } from "./page.ts";
import { type Findings, stageFacts } from "./stage-facts.ts";
import { nodeStages, runSteps, type StageFacts } from "./stages.ts";
import { chooseStart } from "./start-command.ts";
import { findWorkspace, inDirectory } from "./workspace.ts";

/** Trees whose package.json is only for the assets of another language's framework. */
const OWNED_BY_OTHERS = ["config/application.rb", "manage.py", "artisan", "mix.exs"];

/** Programs and sites of the JavaScript world: npm, yarn, pnpm, bun. */
export const nodeProvider: Provider = {
  name: "node",
  looks_for: "package.json (Node, Bun)",
  start_from: "scripts.start and main in package.json, index.js, server.js, app.js",
  async detect(tree) {
    if ((await firstOf(tree, OWNED_BY_OTHERS)) !== null) return null;
    const pkg = await readPackageJson(tree);
    if (pkg === null) return null;
    // A page that nothing has to be built for is the static provider's.
    return pkg.scripts.build === undefined && (await isPage(tree, pkg)) ? null : ["package.json"];
  },
  plan: planNode,
};

async function planNode(tree: SourceTree, { procfile, evidence }: PlanContext): Promise<BuildPlan> {
  const workspace = (await findWorkspace(tree))!;
  const { app } = workspace;
  const manager = await choosePackageManager(workspace.tree, workspace.pkg);
  const framework = await chooseFramework(app.tree, app.pkg);
  const start = await chooseStart(app.tree, app.pkg, manager, framework);
  const commands = [...procfile.values(), ...(procfile.has("web") ? [] : [start?.command.join(" ") ?? ""])];
  const findings: Findings = { workspace, manager, framework, start, commands, procfile };

  const plan = emptyPlan("node", evidence);
  plan.package_manager = manager.choice;
  plan.framework = framework?.choice ?? null;
  plan.warnings.push(...manager.warnings, ...(framework?.warnings ?? []));
  plan.build_image = await chooseImage(plan, findings);
  const facts = await stageFacts(findings, plan.build_image.value);
  const bundle = facts.build.length > 0 ? bundleOf(findings) : null;
  plan.stages = nodeStages(
    bundle === null
      ? facts
      : { ...facts, prune: false, runs_packages: false, finish: bundle.finish ?? facts.finish },
  );
  plan.context = workspace.context;
  // Packages that somebody committed would lie over those that the lockfile asks for.
  if (facts.has_dependencies) plan.ignore = ["**/node_modules"];
  if (app.directory !== "" && workspace.context === null) plan.evidence.push(`${app.directory}/package.json`);
  if (framework?.files && !procfile.has("web")) return asFiles(plan, framework.files, app.directory);
  return asProgram(plan, findings, facts, bundle);
}

async function chooseImage(plan: BuildPlan, { workspace, manager }: Findings): Promise<Choice<string>> {
  if (manager.name === "bun") {
    const { version } = chooseVersion("bun", null);
    plan.versions.bun = version;
    return { value: `oven/bun:${version.value}-slim`, from: manager.choice.from };
  }
  const { app, tree, pkg } = workspace;
  const own = await chooseNodeVersion(app.tree, app.pkg);
  const { version, warnings } = own.isSaid ? own : await chooseNodeVersion(tree, pkg);
  plan.versions.node = version;
  plan.warnings.push(...warnings);
  return { value: `node:${version.value}-bookworm-slim`, from: version.from };
}

function asFiles(plan: BuildPlan, files: NonNullable<Framework["files"]>, directory: string): BuildPlan {
  const root = { ...files.root, value: join(directory, files.root.value) };
  serveFiles(plan, { ...files, root, stage: "build", path: `/app/${root.value}` });
  return plan;
}

function asProgram(plan: BuildPlan, findings: Findings, facts: StageFacts, bundle: Bundle | null): BuildPlan {
  const { start, workspace, commands, manager, procfile } = findings;
  const { directory } = workspace.app;
  const throughManager = manager.setup !== null && commands.some((line) => /\b(yarn|pnpm)\b/.test(line));
  plan.run_image = plan.build_image;
  plan.env = {
    NODE_ENV: "production",
    HOST: "0.0.0.0",
    HOME: "/tmp",
    PATH: [...new Set([directory, ""])]
      .map((at) => join("/app", at, "node_modules/.bin"))
      .concat("$PATH")
      .join(":"),
    npm_config_update_notifier: "false",
  };
  if (bundle !== null) {
    // Next listens where HOSTNAME says, which the engine sets to the container's own.
    if (bundle.always) plan.env.HOSTNAME = "0.0.0.0";
    plan.processes.web = { command: bundle.command, from: findings.framework!.choice.from };
  } else if (start !== null) {
    // A Procfile at the root of a workspace counts from there, and so does every process beside it.
    const fromRoot = workspace.context === null && procfile.size > 0;
    plan.processes.web = fromRoot ? inDirectory(directory, start) : start;
    if (!fromRoot) plan.directory = directory;
  } else if (workspace.context !== null) plan.directory = directory;
  plan.stages.push({
    name: "run",
    from: throughManager ? "tools" : facts.image,
    purpose: "The image that runs: no build tools, no root",
    env: {},
    steps:
      bundle === null
        ? runSteps(facts)
        : bundle.takes.map(({ path, to }) => take("build", join("/app", directory, path), to)),
  });
  return plan;
}

/** What the framework packed for itself, where that is all that will run. */
function bundleOf({ framework, start, workspace, procfile }: Findings): Bundle | null {
  const bundle = framework?.bundle ?? null;
  if (bundle === null || procfile.size > 0) return null;
  if (bundle.always) return workspace.app.directory === "" ? bundle : null;
  return start?.command.join(" ") === bundle.command.join(" ") ? bundle : null;
}
