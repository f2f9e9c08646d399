import type { BuildPlan, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion, defaultVersion } from "../runtime-versions.ts";
import {
  CERTIFICATES,
  copyAll,
  copyInPlace,
  packagesPurpose,
  present,
  run,
  runTheirs,
  take,
} from "../steps.ts";
import { DENO_CONFIGS, type DenoProject, readDenoProject } from "./project.ts";

const DENO_DIR = "/deno";

/** Deno programs: Fresh, Oak, Hono, plain. Deno itself comes from its package on npm, as images of it do. */
export const denoProvider: Provider = {
  name: "deno",
  looks_for: "deno.json or deno.lock (Deno)",
  start_from: "tasks.start in deno.json, main.ts, server.ts, mod.ts",
  async detect(tree) {
    const mark = await firstOf(tree, [...DENO_CONFIGS, "deno.lock"]);
    if (mark === null) return null;
    // Beside a package.json it may be there for its formatter alone.
    const hasNode = await tree.has("package.json");
    return hasNode && (await readDenoProject(tree)).tasks.start === undefined ? null : [mark];
  },
  plan: planDeno,
};

async function planDeno(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const project = await readDenoProject(tree);
  const { version, warnings } = chooseVersion("deno", project.wish);
  const plan = emptyPlan("deno", evidence);
  plan.versions.deno = version;
  plan.framework = project.isFresh ? { value: "Fresh", from: project.config ?? evidence[0]! } : null;
  plan.build_image = {
    value: `node:${defaultVersion("node").value}-bookworm-slim`,
    from: "npm, which brings Deno",
  };
  plan.run_image = { value: "debian:bookworm-slim", from: "Deno is one program" };
  plan.warnings.push(...warnings);
  plan.env = { HOME: "/tmp", DENO_DIR, DENO_NO_UPDATE_CHECK: "1" };
  if (project.start !== null) {
    // Deno.serve listens where this says, whatever the program asks for.
    const line = `DENO_SERVE_ADDRESS="tcp:0.0.0.0:$PORT" exec ${project.start.line}`;
    plan.processes.web = { command: ["sh", "-c", line], from: project.start.from };
  }
  plan.stages = [
    toolStage(plan, version.value),
    ...(await dependencyStages(tree, project)),
    await buildStage(tree, project),
    runStage(plan),
  ];
  return plan;
}

function toolStage(plan: BuildPlan, version: string): Stage {
  const line = `npm install --global deno@${version} && deno --version && cp "$(find /usr/local/lib/node_modules/deno -type f -name deno -size +1M | head -n 1)" /deno-program && mkdir ${DENO_DIR}`;
  return {
    name: "tools",
    from: plan.build_image!.value,
    purpose: "Deno",
    env: {},
    steps: [run(line, plan.versions.deno!.from, { npm: "/root/.npm" })],
  };
}

async function hasNamedPackages(tree: SourceTree, project: DenoProject): Promise<boolean> {
  return project.hasImports || (await tree.has("package.json"));
}

/** Packages that the configuration names come first, so that code does not touch them. */
async function dependencyStages(tree: SourceTree, project: DenoProject): Promise<Stage[]> {
  if (!(await hasNamedPackages(tree, project))) return [];
  const files = await present(tree, [...DENO_CONFIGS, "deno.lock", "package.json"]);
  const locked = files.includes("deno.lock");
  const install = {
    value: `deno install${locked ? " --frozen" : ""}`,
    from: locked ? "deno.lock" : (project.config ?? "package.json"),
  };
  return [
    {
      name: "dependencies",
      from: "tools",
      purpose: packagesPurpose("Packages", locked),
      env: { DENO_DIR },
      steps: [...copyInPlace(files), runTheirs(install)],
    },
  ];
}

/** What is imported by its address is fetched now: nothing is when the program starts. */
async function buildStage(tree: SourceTree, project: DenoProject): Promise<Stage> {
  const { tasks, entry } = project;
  const steps = [copyAll()];
  if (tasks.build !== undefined)
    steps.push(runTheirs({ value: "deno task build", from: `tasks.build in ${project.config}` }));
  if (entry !== null) steps.push(runTheirs({ value: `deno cache ${quote(entry)}`, from: entry }));
  return {
    name: "build",
    from: (await hasNamedPackages(tree, project)) ? "dependencies" : "tools",
    purpose: "The program with its modules",
    env: { DENO_DIR },
    steps,
  };
}

function runStage(plan: BuildPlan): Stage {
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: Deno and the program, no root",
    env: {},
    steps: [
      take("build", CERTIFICATES, CERTIFICATES),
      take("tools", "/deno-program", "/usr/local/bin/deno"),
      take("build", DENO_DIR, DENO_DIR),
      take("build", "/app", "./"),
    ],
  };
}
