import type { BuildPlan, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { chooseVersion, type VersionWish } from "../runtime-versions.ts";
import { aptInstall, copyAll, copyInPlace, present, run, runTheirs, take } from "../steps.ts";

/** Mix projects, Phoenix among them, as a release of their own (mix release). */
export const elixirProvider: Provider = {
  name: "elixir",
  looks_for: "mix.exs (Elixir)",
  start_from: "the release that `mix release` makes",
  async detect(tree) {
    return (await tree.has("mix.exs")) ? ["mix.exs"] : null;
  },
  plan: planElixir,
};

const MIGRATIONS =
  "Migrations are not run: `mix phx.gen.release` writes the module that runs them before each release.";

async function planElixir(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const mix = (await tree.read("mix.exs")) ?? "";
  const app = /\bapp:\s*:(\w+)/.exec(mix)?.[1] ?? "app";
  const release = /\breleases:\s*\[\s*(\w+):/.exec(mix)?.[1] ?? null;
  const name = release ?? app;
  const phoenix = /\{:phoenix,/.test(mix);
  const migrates = await tree.has("priv/repo/migrations");
  const { version, warnings } = chooseVersion("elixir", await versionWish(tree, mix));
  const plan = emptyPlan("elixir", evidence);
  plan.versions.elixir = version;
  plan.package_manager = { value: "mix", from: (await tree.has("mix.lock")) ? "mix.lock" : "mix.exs" };
  plan.framework = phoenix ? { value: "Phoenix", from: ":phoenix in mix.exs" } : null;
  plan.build_image = { value: `elixir:${version.value}-slim`, from: version.from };
  plan.run_image = plan.build_image;
  plan.warnings.push(...warnings);
  if (/\bapps_path:/.test(mix) && release === null)
    plan.warnings.push(
      "An umbrella needs `releases:` in its mix.exs: `mix release` cannot choose by itself.",
    );
  if (phoenix && migrates && !(await hasMigrator(tree, app))) plan.warnings.push(MIGRATIONS);
  plan.ignore = ["_build", "deps", "**/node_modules"];
  plan.env = {
    HOME: "/tmp",
    LANG: "C.UTF-8",
    RELEASE_TMP: "/tmp",
    RELEASE_DISTRIBUTION: "none",
    ...(phoenix ? { PHX_SERVER: "true" } : {}),
  };
  plan.processes.web = {
    command: [`/app/bin/${name}`, "start"],
    from: release ? "releases in mix.exs" : "app in mix.exs",
  };
  if (phoenix && migrates && (await hasMigrator(tree, app))) {
    const call = `${camel(app)}.Release.migrate()`;
    plan.release_command = { value: [`/app/bin/${name}`, "eval", call], from: "priv/repo/migrations" };
  }
  plan.stages = [await buildStage(tree, plan, mix, release), runStage(plan)];
  return plan;
}

/** .tool-versions, else what mix.exs asks for at least. */
async function versionWish(tree: SourceTree, mix: string): Promise<VersionWish | null> {
  const tool = /^elixir (\d+\.\d+(?:\.\d+)?)/m.exec((await tree.read(".tool-versions")) ?? "")?.[1];
  if (tool) return { range: tool, from: `.tool-versions: elixir ${tool}` };
  const stated = /\belixir:\s*"([^"]+)"/.exec(mix)?.[1];
  const range = stated
    ?.replace(/~>\s*(\d+)\.(\d+)$/, ">=$1.$2.0 <$1.99.99")
    .replace(/~>\s*/, "~")
    .replace(/^(>=?)\s*(\d+\.\d+)$/, "$1$2.0");
  return range === undefined ? null : { range, from: `elixir in mix.exs: ${stated}` };
}

/** `mix phx.gen.release` writes this module; without it there is nothing to call. */
async function hasMigrator(tree: SourceTree, name: string): Promise<boolean> {
  return tree.has(`lib/${name}/release.ex`);
}

function camel(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

async function buildStage(
  tree: SourceTree,
  plan: BuildPlan,
  mix: string,
  named: string | null,
): Promise<Stage> {
  const assets = await assetSteps(tree, mix);
  const release = `mix release${named === null ? "" : ` ${named}`} --overwrite --path /out`;
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The release",
    env: { MIX_ENV: "prod" },
    steps: [
      // The slim image is what runs: Erlang finds there the libraries that it was built with.
      ...aptInstall({ value: ["build-essential", "ca-certificates", "git"], from: "to compile packages" }),
      ...(await dependencySteps(tree, plan, mix)),
      ...assets.install,
      copyAll(),
      ...assets.build,
      runTheirs({ value: release, from: named === null ? "app in mix.exs" : "releases in mix.exs" }),
    ],
  };
}

/** Packages first, from the manifests of the project and of an umbrella's applications. */
async function dependencySteps(tree: SourceTree, plan: BuildPlan, mix: string): Promise<Step[]> {
  if (!(await tree.has("mix.lock"))) return [];
  const applications = /\bapps_path:\s*"apps"/.test(mix)
    ? (await tree.list("apps")).filter(({ directory }) => directory).map(({ name }) => `apps/${name}/mix.exs`)
    : [];
  const files = await present(tree, ["mix.exs", "mix.lock", "config/", ...applications]);
  return [
    run("mix local.hex --force && mix local.rebar --force", plan.package_manager!.from),
    ...copyInPlace(files),
    runTheirs(
      { value: "mix deps.get --only prod && mix deps.compile", from: "mix.lock" },
      { hex: "/root/.hex/packages" },
    ),
  ];
}

/** Packages of JavaScript at the root or in assets/, then what mix.exs or they say builds scripts and styles. */
async function assetSteps(tree: SourceTree, mix: string): Promise<{ install: Step[]; build: Step[] }> {
  const inAssets = await nodeAssets(tree, "assets");
  const node = inAssets ?? (await nodeAssets(tree));
  const deploys = /"assets\.deploy"/.test(mix);
  const build: Step[] = [];
  // Hooks beside components are gathered by the compiler.
  if (deploys)
    build.push(runTheirs({ value: "mix compile && mix assets.deploy", from: "assets.deploy in mix.exs" }));
  else if (node !== null) {
    build.push(...node.build);
    if (inAssets !== null) build.push(runTheirs({ value: "mix phx.digest", from: "assets/package.json" }));
  }
  return {
    install:
      node === null
        ? []
        : [
            ...aptInstall({ value: ["libatomic1"], from: "because Node loads it" }),
            ...node.lend,
            ...node.install,
          ],
    build: node !== null && deploys && inAssets === null ? [...node.build, ...build] : build,
  };
}

function runStage(plan: BuildPlan): Stage {
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: the release, no compiler, no root",
    env: {},
    steps: [take("build", "/out", "./")],
  };
}
