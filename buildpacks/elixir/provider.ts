import { join } from "node:path/posix";
import type { BuildPlan, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { chooseVersion, type VersionWish } from "../runtime-versions.ts";
import { aptInstall, copyAll, copyInPlace, present, run, runTheirs, take } from "../steps.ts";
import { toolVersion } from "../tool-versions.ts";

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
  const applications = await readApplications(tree, mix);
  const app = /\bapp:\s*:(\w+)/.exec(mix)?.[1] ?? "app";
  const release = /\breleases:\s*\[\s*(\w+):/.exec(mix)?.[1] ?? null;
  const name = release ?? app;
  const phoenix = applications.some(({ text }) => /\{:phoenix,/.test(text));
  const migrating = await firstOf(
    tree,
    applications.map(({ at }) => join(at, "priv/repo/migrations")),
  );
  const migrator = migrating === null ? null : await migratorOf(tree, applications);
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
  if (phoenix && migrating !== null && migrator === null) plan.warnings.push(MIGRATIONS);
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
  if (phoenix && migrating !== null && migrator !== null) {
    const call = `${camel(migrator)}.Release.migrate()`;
    plan.release_command = { value: [`/app/bin/${name}`, "eval", call], from: migrating };
  }
  plan.stages = [await buildStage(tree, plan, applications, release), runStage(plan)];
  return plan;
}

/** asdf or mise, else what mix.exs asks for at least. */
async function versionWish(tree: SourceTree, mix: string): Promise<VersionWish | null> {
  const tool = await toolVersion(tree, "elixir");
  if (tool !== null) return tool;
  const stated = /\belixir:\s*"([^"]+)"/.exec(mix)?.[1];
  const range = stated
    ?.replace(/~>\s*(\d+)\.(\d+)$/, ">=$1.$2.0 <$1.99.99")
    .replace(/~>\s*/, "~")
    .replace(/^(>=?)\s*(\d+\.\d+)$/, "$1$2.0");
  return range === undefined ? null : { range, from: `elixir in mix.exs: ${stated}` };
}

/** A mix.exs of the tree: the project's own, or one of an umbrella's. */
interface Application {
  /** Its directory; "" is the root. */
  at: string;
  name: string;
  text: string;
}

/** The project itself, then what its umbrella holds. */
async function readApplications(tree: SourceTree, mix: string): Promise<Application[]> {
  const parent = /\bapps_path:\s*"([\w-]+)"/.exec(mix)?.[1];
  const inside = parent === undefined ? [] : (await tree.list(parent)).filter(({ directory }) => directory);
  const places = ["", ...inside.map(({ name }) => `${parent}/${name}`).filter((at) => /^[\w/-]+$/.test(at))];
  const texts = await Promise.all(places.map((at) => tree.read(join(at, "mix.exs"))));
  return places.flatMap((at, index) => {
    const text = texts[index];
    return text == null ? [] : [{ at, name: /\bapp:\s*:(\w+)/.exec(text)?.[1] ?? "app", text }];
  });
}

/** The application with the module that `mix phx.gen.release` writes; null when there is nothing to call. */
async function migratorOf(tree: SourceTree, applications: Application[]): Promise<string | null> {
  for (const { at, name } of applications)
    if (await tree.has(join(at, `lib/${name}/release.ex`))) return name;
  return null;
}

function camel(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

async function buildStage(
  tree: SourceTree,
  plan: BuildPlan,
  applications: Application[],
  named: string | null,
): Promise<Stage> {
  const assets = await assetSteps(tree, applications);
  const release = `mix release${named === null ? "" : ` ${named}`} --overwrite --path /out`;
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The release",
    env: { MIX_ENV: "prod" },
    steps: [
      // The slim image is what runs: Erlang finds there the libraries that it was built with.
      ...aptInstall({ value: ["build-essential", "ca-certificates", "git"], from: "to compile packages" }),
      ...(await dependencySteps(tree, plan, applications)),
      ...assets.install,
      copyAll(),
      ...assets.build,
      runTheirs({ value: release, from: named === null ? "app in mix.exs" : "releases in mix.exs" }),
    ],
  };
}

/** Packages first, from the manifests of the project and of an umbrella's applications. */
async function dependencySteps(
  tree: SourceTree,
  plan: BuildPlan,
  applications: Application[],
): Promise<Step[]> {
  if (!(await tree.has("mix.lock"))) return [];
  const inside = applications.filter(({ at }) => at !== "").map(({ at }) => `${at}/mix.exs`);
  const files = await present(tree, ["mix.exs", "mix.lock", "config/", ...inside]);
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
async function assetSteps(
  tree: SourceTree,
  applications: Application[],
): Promise<{ install: Step[]; build: Step[] }> {
  const web = applications.find(({ text }) => /"assets\.deploy"/.test(text));
  const at = web?.at ?? "";
  const inAssets = await nodeAssets(tree, join(at, "assets"));
  const node = inAssets ?? (await nodeAssets(tree));
  const deploys = web !== undefined;
  const build: Step[] = [];
  // Hooks beside components are gathered by the compiler.
  if (deploys) {
    const deploy = at === "" ? "mix assets.deploy" : `(cd ${at} && mix assets.deploy)`;
    const from = `assets.deploy in ${join(at, "mix.exs")}`;
    build.push(runTheirs({ value: `mix compile && ${deploy}`, from }));
  } else if (node !== null) {
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
