import type { BuildPlan, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { plainWords } from "../../src/engine/build/quote.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion, RUNTIMES } from "../runtime-versions.ts";
import { CERTIFICATES, copyAll, run, runTheirs, take } from "../steps.ts";

const CONFIGS = ["deno.json", "deno.jsonc"];
const ENTRIES = [
  "main.ts",
  "server.ts",
  "mod.ts",
  "index.ts",
  "app.ts",
  "main.tsx",
  "main.js",
  "src/main.ts",
];
const DENO_DIR = "/deno";

/** Deno programs: Fresh, Oak, Hono, plain. Deno itself comes from its package on npm, as images of it do. */
export const denoProvider: Provider = {
  name: "deno",
  looks_for: "deno.json or deno.lock (Deno)",
  start_from: "tasks.start in deno.json, main.ts, server.ts, mod.ts",
  async detect(tree) {
    const mark = await firstOf(tree, [...CONFIGS, "deno.lock"]);
    const hasNode = await tree.has("package.json");
    return mark === null || (hasNode && (await readTasks(tree)).start === undefined) ? null : [mark];
  },
  plan: planDeno,
};

async function planDeno(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const { version } = chooseVersion("deno", null);
  const tasks = await readTasks(tree);
  const entry = await firstOf(tree, ENTRIES);
  const plan = emptyPlan("deno", evidence);
  plan.versions.deno = version;
  plan.framework = (await tree.has("fresh.config.ts")) ? { value: "Fresh", from: "fresh.config.ts" } : null;
  plan.build_image = { value: `node:${RUNTIMES.node.newest}-bookworm-slim`, from: "npm, which brings Deno" };
  plan.run_image = { value: "debian:bookworm-slim", from: "Deno is one program" };
  plan.env = { HOME: "/tmp", DENO_DIR, DENO_NO_UPDATE_CHECK: "1" };
  const web = startOf(tasks.start, entry);
  if (web !== null) plan.processes.web = web;
  plan.stages = [toolStage(plan, version.value), buildStage(tasks.build, entry), runStage(plan)];
  return plan;
}

/** Tasks by name; comments of deno.jsonc are allowed for. */
async function readTasks(tree: SourceTree): Promise<Record<string, string>> {
  const path = await firstOf(tree, CONFIGS);
  const text = path === null ? null : await tree.read(path);
  try {
    const value = (Bun.JSONC.parse(text ?? "{}") as { tasks?: Record<string, unknown> }).tasks ?? {};
    return Object.fromEntries(
      Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    );
  } catch {
    return {};
  }
}

function startOf(task: string | undefined, entry: string | null): { command: string[]; from: string } | null {
  if (task !== undefined) {
    const words = plainWords(task);
    const command = words?.[0] === "deno" ? words : ["deno", "task", "start"];
    return { command, from: "tasks.start in deno.json" };
  }
  if (entry === null) return null;
  return { command: ["deno", "run", "--allow-net", "--allow-env", "--allow-read", entry], from: entry };
}

function toolStage(plan: BuildPlan, version: string): Stage {
  const line = `npm install --global deno@${version} && deno --version && cp "$(find /usr/local/lib/node_modules/deno -type f -name deno -size +1M | head -n 1)" /deno-program`;
  return {
    name: "tools",
    from: plan.build_image!.value,
    purpose: "Deno",
    env: {},
    steps: [run(line, plan.versions.deno!.from, { npm: "/root/.npm" })],
  };
}

/** Dependencies lie in the image: nothing is fetched when it starts. */
function buildStage(build: string | undefined, entry: string | null): Stage {
  const steps = [copyAll()];
  if (entry !== null) steps.push(runTheirs({ value: `deno cache ${entry}`, from: entry }));
  else steps.push(runTheirs({ value: "deno install", from: "deno.json" }));
  if (build !== undefined)
    steps.push(runTheirs({ value: "deno task build", from: "tasks.build in deno.json" }));
  return { name: "build", from: "tools", purpose: "The program with its modules", env: { DENO_DIR }, steps };
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
