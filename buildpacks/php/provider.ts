import type { BuildPlan, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { aptInstall, copyAll, copyInPlace, present, run, runTheirs, take } from "../steps.ts";
import { APACHE_ENVIRONMENT, apacheCommand, apacheStep } from "./apache.ts";
import { type Composer, readComposer } from "./composer.ts";
import { extensionPlan } from "./extensions.ts";

const ROOTS = ["public", "web", "webroot", "."];

/** PHP sites, with composer or without: Laravel, Symfony, plain files. */
export const phpProvider: Provider = {
  name: "php",
  looks_for: "composer.json or index.php (PHP)",
  start_from: "index.php at the root or in public, web, webroot",
  async detect(tree) {
    const mark = await firstOf(tree, ["composer.json", ...ROOTS.map((root) => indexOf(root))]);
    return mark === null ? null : [mark];
  },
  plan: planPhp,
};

function indexOf(root: string): string {
  return root === "." ? "index.php" : `${root}/index.php`;
}

async function planPhp(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const composer = await readComposer(tree);
  const laravel = await tree.has("artisan");
  const { version, warnings } = chooseVersion("php", composer?.wish ?? null);
  const plan = emptyPlan("php", evidence);
  plan.versions.php = version;
  plan.package_manager = composer && {
    value: "composer",
    from: composer.locked ? "composer.lock" : "composer.json, no lockfile",
  };
  plan.framework = frameworkOf(composer, laravel);
  plan.run_image = { value: `php:${version.value}-apache-bookworm`, from: version.from };
  plan.build_image = plan.run_image;
  plan.warnings.push(...warnings);
  if (composer !== null && !composer.locked) {
    plan.warnings.push("No composer.lock: versions of packages may differ from build to build.");
  }
  plan.env = {
    HOME: "/tmp",
    ...APACHE_ENVIRONMENT,
    ...(laravel ? LARAVEL_ENVIRONMENT : { APP_ENV: "prod" }),
  };
  const root = await documentRoot(tree);
  if (root !== null) plan.processes.web = { command: apacheCommand(laravel), from: indexOf(root) };
  const assets = await assetStages(tree);
  plan.stages = [
    ...(await composerStages(tree, composer)),
    ...assets,
    buildStage(composer, laravel, assets.length > 0),
    runStage(plan, composer, laravel, root ?? "."),
  ];
  return plan;
}

async function documentRoot(tree: SourceTree): Promise<string | null> {
  for (const root of ROOTS) if (await tree.has(indexOf(root))) return root;
  return null;
}

function frameworkOf(composer: Composer | null, laravel: boolean): BuildPlan["framework"] {
  if (laravel) return { value: "Laravel", from: "artisan" };
  const symfony = composer?.requires.has("symfony/framework-bundle") ?? false;
  return symfony ? { value: "Symfony", from: "symfony/framework-bundle in composer.json" } : null;
}

/** What Laravel writes goes to memory, its log to the container's. */
const LARAVEL_ENVIRONMENT = {
  APP_ENV: "production",
  LOG_CHANNEL: "stderr",
  VIEW_COMPILED_PATH: "/tmp/storage/framework/views",
};

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
      purpose: "Packages, as the lockfile has them",
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
async function assetStages(tree: SourceTree): Promise<Stage[]> {
  const node = await nodeAssets(tree);
  if (node === null || node.build.length === 0) return [];
  const steps = [
    ...node.install,
    copyAll(),
    ...node.build,
    run("rm -rf node_modules", "because only the build needs them"),
  ];
  return [{ name: "assets", from: node.image, purpose: "Scripts and styles", env: {}, steps }];
}

function buildStage(composer: Composer | null, laravel: boolean, hasAssets: boolean): Stage {
  const steps: Step[] = [hasAssets ? take("assets", "/app", "./") : copyAll()];
  if (composer !== null) {
    const line =
      "composer dump-autoload --no-dev --optimize --no-interaction --no-scripts --ignore-platform-reqs";
    steps.push(runTheirs({ value: line, from: "autoload in composer.json" }));
  }
  if (laravel) {
    const line =
      "rm -rf storage bootstrap/cache && ln -s /tmp/storage storage && ln -s /tmp/bootstrap bootstrap/cache";
    steps.push(run(line, "because Laravel writes there while it runs"));
  }
  return {
    name: "build",
    from: composer === null ? "debian:bookworm-slim" : "dependencies",
    purpose: "The site, put together",
    env: {},
    steps,
  };
}

function runStage(plan: BuildPlan, composer: Composer | null, laravel: boolean, root: string): Stage {
  const { packages, command } = extensionPlan(composer?.extensions ?? [], laravel);
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
