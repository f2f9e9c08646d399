import type { BuildPlan, Choice, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { readPackageJson } from "../node/package-json.ts";
import { chooseVersion } from "../runtime-versions.ts";
import {
  aptInstall,
  copyAll,
  copyInPlace,
  packagesPurpose,
  present,
  run,
  runTheirs,
  take,
} from "../steps.ts";
import { toolVersion } from "../tool-versions.ts";
import { APACHE_ENVIRONMENT, apacheCommand, apacheStep } from "./apache.ts";
import { type Composer, readComposer } from "./composer.ts";
import { extensionPlan } from "./extensions.ts";
import { type PhpFramework, phpFramework } from "./framework.ts";

const ROOTS = ["public", "web", "webroot", "htdocs", "public_html", "."];

/** PHP sites, with composer or without: Laravel, Symfony, plain files. */
export const phpProvider: Provider = {
  name: "php",
  looks_for: "composer.json or index.php (PHP)",
  start_from: "index.php at the root or in public, web, webroot, htdocs, public_html",
  async detect(tree) {
    const index = await firstOf(tree, ROOTS.map(indexOf));
    if (await tree.has("composer.json")) {
      // Without a page it may be there for tools beside a program of another kind.
      const start = (await readPackageJson(tree).catch(() => null))?.scripts.start;
      return index === null && start !== undefined ? null : ["composer.json"];
    }
    return index === null ? null : [index];
  },
  plan: planPhp,
};

function indexOf(root: string): string {
  return root === "." ? "index.php" : `${root}/index.php`;
}

async function planPhp(tree: SourceTree, { evidence, procfile }: PlanContext): Promise<BuildPlan> {
  const composer = await readComposer(tree);
  const framework = await phpFramework(tree, composer, procfile.get("release") ?? null);
  const { version, warnings } = chooseVersion("php", composer?.wish ?? (await toolVersion(tree, "php")));
  const plan = emptyPlan("php", evidence);
  plan.versions.php = version;
  plan.package_manager = composer && {
    value: "composer",
    from: composer.locked ? "composer.lock" : "composer.json, no lockfile",
  };
  plan.framework = framework?.choice ?? null;
  plan.run_image = { value: `php:${version.value}-apache-bookworm`, from: version.from };
  plan.build_image = plan.run_image;
  plan.warnings.push(...warnings);
  if (composer !== null && !composer.locked)
    plan.warnings.push("No composer.lock: versions of packages may differ from build to build.");
  plan.warnings.push(...(framework?.warnings ?? []));
  plan.env = { HOME: "/tmp", ...APACHE_ENVIRONMENT, ...framework?.env };
  plan.ignore = ["**/node_modules", ...(composer === null ? [] : ["vendor"])];
  const index = await firstOf(tree, ROOTS.map(indexOf));
  if (index !== null) plan.processes.web = { command: apacheCommand(framework?.scratch ?? []), from: index };
  const root = ROOTS.find((one) => indexOf(one) === index) ?? ".";
  const assets = await assetStages(tree, composer);
  plan.stages = [
    ...(await composerStages(tree, composer)),
    ...assets,
    buildStage(composer, framework, assets.length > 0),
    runStage(plan, await wantedExtensions(tree, composer, framework), root),
  ];
  return plan;
}

/** What composer's files ask for and the framework uses; of plain files, what their text shows. */
async function wantedExtensions(
  tree: SourceTree,
  composer: Composer | null,
  framework: PhpFramework | null,
): Promise<Choice<string[]>> {
  if (composer === null && framework !== null)
    return { value: framework.extensions, from: `what ${framework.choice.value} uses` };
  if (composer === null)
    return { value: await plainExtensions(tree), from: "the database that the pages ask" };
  const value = [...composer.extensions, ...(framework?.extensions ?? [])];
  const from = `ext-* in composer.json${framework === null ? "" : `, and what ${framework.choice.value} uses`}`;
  return { value, from };
}

const MAX_PAGES = 50;

/** Plain pages name their database nowhere but in their code. */
async function plainExtensions(tree: SourceTree): Promise<string[]> {
  const pages = (await tree.list("")).filter(({ name }) => name.endsWith(".php")).slice(0, MAX_PAGES);
  const text = (await Promise.all(pages.map(({ name }) => tree.read(name)))).join("\n");
  const uses: [RegExp, string][] = [
    [/\bmysqli[_(]|\bmysqli\b/, "mysqli"],
    [/['"]mysql:/, "pdo_mysql"],
    [/['"]pgsql:/, "pdo_pgsql"],
    [/\bpg_connect\(/, "pgsql"],
  ];
  return uses.filter(([pattern]) => pattern.test(text)).map(([, name]) => name);
}

/** Packages without running scripts of theirs or needing the image's extensions: those come with the image. */
async function composerStages(tree: SourceTree, composer: Composer | null): Promise<Stage[]> {
  if (composer === null) return [];
  const files = composer.needsTree
    ? ["."]
    : await present(tree, ["composer.json", "composer.lock", "auth.json"]);
  const flags =
    "--no-dev --no-interaction --no-progress --no-scripts --no-autoloader --prefer-dist --ignore-platform-reqs";
  return [
    {
      name: "dependencies",
      from: "composer:2",
      purpose: packagesPurpose("Packages", composer.locked),
      env: { COMPOSER_ALLOW_SUPERUSER: "1", COMPOSER_CACHE_DIR: "/root/.composer/cache" },
      steps: [
        ...copyInPlace(files),
        runTheirs(
          { value: `composer install ${flags}`, from: composer.locked ? "composer.lock" : "composer.json" },
          { composer: "/root/.composer/cache" },
        ),
      ],
    },
  ];
}

/** Node on an image of its own: composer's has another C library. */
async function assetStages(tree: SourceTree, composer: Composer | null): Promise<Stage[]> {
  const node = await nodeAssets(tree);
  if (node === null || node.build.length === 0) return [];
  // Packages of PHP may bring scripts of their own (`file:vendor/…`).
  const needsVendor = composer !== null && /"file:vendor\//.test((await tree.read("package.json")) ?? "");
  const steps = [
    ...(needsVendor ? [take("dependencies", "/app/vendor", "./vendor")] : []),
    ...node.install,
    copyAll(),
    ...node.build,
    run("rm -rf node_modules", "because only the build needs them"),
  ];
  return [{ name: "assets", from: node.image, purpose: "Scripts and styles", env: {}, steps }];
}

function buildStage(composer: Composer | null, framework: PhpFramework | null, hasAssets: boolean): Stage {
  const steps: Step[] = [hasAssets ? take("assets", "/app", "./") : copyAll()];
  if (composer !== null) {
    const line =
      "composer dump-autoload --no-dev --optimize --no-interaction --no-scripts --ignore-platform-reqs";
    steps.push(runTheirs({ value: line, from: "autoload in composer.json" }));
  }
  return {
    name: "build",
    from: composer === null ? "debian:bookworm-slim" : "dependencies",
    purpose: "The site, put together",
    env: {},
    steps: [...steps, ...(framework?.build ?? [])],
  };
}

function runStage(plan: BuildPlan, wanted: Choice<string[]>, root: string): Stage {
  const { packages, command } = extensionPlan(wanted, plan.versions.php!.value);
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: Apache with PHP on $PORT, no root",
    env: {},
    steps: [
      ...aptInstall(packages),
      ...(command === null ? [] : [run(command.value, command.from)]),
      apacheStep(root),
      take("build", "/app", "./"),
    ],
  };
}
