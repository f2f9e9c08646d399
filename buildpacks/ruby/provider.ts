import type { BuildPlan, Choice, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
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
import { type Gems, readGems } from "./gems.ts";

const BUNDLE = "/usr/local/bundle";
const CACHES = { bundler: "/root/.bundle/cache" };

/** Shared libraries that gems load at run time; the slim image lacks them. */
const LIBRARIES: Record<string, string[]> = {
  pg: ["libpq5"],
  mysql2: ["libmariadb3"],
  trilogy: [],
  "ruby-vips": ["libvips42"],
  image_processing: ["libvips42"],
  rmagick: ["imagemagick"],
  mini_magick: ["imagemagick"],
  charlock_holmes: ["libicu72"],
};

const SERVERS = ["puma", "unicorn", "falcon", "thin", "iodine", "passenger", "webrick"];

/** Ruby programs with a Gemfile: Rails, Sinatra, Rack. */
export const rubyProvider: Provider = {
  name: "ruby",
  looks_for: "Gemfile (Ruby)",
  start_from: "config/application.rb (Rails), config.ru, app.rb, main.rb",
  async detect(tree) {
    if (!(await tree.has("Gemfile"))) return null;
    const gems = await readGems(tree);
    // Gemfiles of Jekyll sites and of the tools beside an app of another kind.
    if (gems.has("jekyll") && (await tree.has("_config.yml"))) return null;
    const serves = ["rails", "rack", "sinatra", "puma", "hanami", "roda"].some(gems.has);
    return serves || !(await tree.has("package.json")) ? ["Gemfile"] : null;
  },
  plan: planRuby,
};

async function planRuby(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const gems = await readGems(tree);
  const { version, warnings } = chooseVersion("ruby", gems.wish);
  const rails = await tree.has("config/application.rb");
  const database = rails ? ((await tree.read("config/database.yml")) ?? "") : "";
  const plan = emptyPlan("ruby", evidence);
  plan.versions.ruby = version;
  plan.package_manager = { value: "bundler", from: gems.locked ? "Gemfile.lock" : "Gemfile, no lockfile" };
  plan.framework = frameworkOf(gems, rails);
  plan.build_image = { value: `ruby:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: `ruby:${version.value}-slim-bookworm`, from: version.from };
  plan.warnings.push(...warnings);
  if (!gems.locked) plan.warnings.push("No Gemfile.lock: versions of gems may differ from build to build.");
  if (gems.foreign !== null) {
    plan.warnings.push(
      `Gemfile.lock is for ${gems.foreign} alone, and bundler refuses it here: run \`bundle lock --add-platform x86_64-linux aarch64-linux\`.`,
    );
  }
  plan.ignore = [".bundle", "vendor/bundle", "**/node_modules"];
  plan.env = runEnvironment(gems, rails);
  const web = await startCommand(tree, gems, rails);
  if (web !== null) plan.processes.web = web;
  const isServed = plan.framework !== null || (await tree.has("config.ru"));
  if (isServed && !SERVERS.some(gems.has))
    plan.warnings.push(
      'There is no server in the Gemfile: add `gem "puma"`, which Ruby itself no longer brings.',
    );
  if (rails && (await tree.has("db/migrate"))) {
    plan.release_command = { value: ["bundle", "exec", "rails", "db:prepare"], from: "db/migrate" };
  }
  // Since Rails 8 the database of a small app is a file below storage/, as uploads are.
  if (keepsFiles(gems, database)) plan.volumes.push("/app/storage");
  plan.stages = [
    await gemStage(tree, plan, gems),
    await buildStage(tree, gems, rails),
    runStage(plan, gems, rails),
  ];
  return plan;
}

function frameworkOf(gems: Gems, rails: boolean): BuildPlan["framework"] {
  if (rails) return { value: "Rails", from: "config/application.rb" };
  const found = ["sinatra", "hanami", "roda"].find(gems.has);
  return found === undefined
    ? null
    : { value: found[0]!.toUpperCase() + found.slice(1), from: `${found} in the Gemfile` };
}

function keepsFiles(gems: Gems, database: string): boolean {
  const production = /^production:[\s\S]*/m.exec(database)?.[0] ?? "";
  return gems.has("sqlite3") && /\bstorage\//.test(production);
}

function bundleEnvironment(locked: boolean): Record<string, string> {
  return {
    BUNDLE_PATH: BUNDLE,
    BUNDLE_WITHOUT: "development:test",
    ...(locked ? { BUNDLE_DEPLOYMENT: "1" } : {}),
  };
}

const BOOTSNAP = "/app/.bootsnap";

function runEnvironment(gems: Gems, rails: boolean): Record<string, string> {
  const common = {
    ...bundleEnvironment(gems.locked),
    RACK_ENV: "production",
    HOME: "/tmp",
    LANG: "C.UTF-8",
    ...(gems.has("hanami") ? { HANAMI_ENV: "production", HANAMI_SERVE_ASSETS: "true" } : {}),
  };
  if (!rails) return common;
  return {
    ...common,
    RAILS_ENV: "production",
    RAILS_LOG_TO_STDOUT: "1",
    RAILS_SERVE_STATIC_FILES: "1",
    ...(gems.has("bootsnap") ? { BOOTSNAP_CACHE_DIR: BOOTSNAP, BOOTSNAP_READONLY: "1" } : {}),
  };
}

async function gemStage(tree: SourceTree, plan: BuildPlan, gems: Gems): Promise<Stage> {
  const files = await present(tree, ["Gemfile", "Gemfile.lock", ".ruby-version", "vendor/cache/"]);
  const vendored = files.includes("vendor/cache/");
  const line = vendored ? "bundle install --local" : "bundle install";
  const from = vendored ? "vendor/cache" : plan.package_manager!.from;
  return {
    name: "dependencies",
    from: plan.build_image!.value,
    purpose: packagesPurpose("Gems", gems.locked),
    env: { ...bundleEnvironment(gems.locked), BUNDLE_GLOBAL_GEM_CACHE: "true" },
    steps: [...(gems.needsTree ? [copyAll()] : copyInPlace(files)), runTheirs({ value: line, from }, CACHES)],
  };
}

async function buildStage(tree: SourceTree, gems: Gems, rails: boolean): Promise<Stage> {
  const node = await nodeAssets(tree);
  const assets = assetCommand(gems, rails);
  const steps: Step[] = [...(node ? [...node.lend, ...node.install] : []), copyAll()];
  if (assets !== null) steps.push(runTheirs(assets));
  else if (node !== null) steps.push(...node.build);
  if (node !== null) steps.push(run("rm -rf node_modules", "because only the build needs them"));
  if (rails) steps.push(...railsSteps(gems));
  const env: Record<string, string> = rails ? { RAILS_ENV: "production" } : { RACK_ENV: "production" };
  return { name: "build", from: "dependencies", purpose: "The app with its assets", env, steps };
}

const PIPELINES = ["sprockets-rails", "sprockets", "propshaft", "vite_rails", "shakapacker"];

function assetCommand(gems: Gems, rails: boolean): Choice<string> | null {
  const pipeline = PIPELINES.find(gems.has);
  if (rails && pipeline !== undefined) {
    // The first since Rails 7.1, the second for those before it: precompiling needs no secret, loading does.
    const secrets = "SECRET_KEY_BASE_DUMMY=1 SECRET_KEY_BASE=not-used-at-run-time";
    return { value: `${secrets} bundle exec rails assets:precompile`, from: `${pipeline} in the Gemfile` };
  }
  return gems.has("hanami-assets")
    ? {
        value: "HANAMI_ENV=production bundle exec hanami assets compile",
        from: "hanami-assets in the Gemfile",
      }
    : null;
}

/** The root of the running image is read-only: what Rails writes goes to memory, what it only reads is made now. */
function railsSteps(gems: Gems): Step[] {
  const precompile = `BOOTSNAP_CACHE_DIR=${BOOTSNAP} bundle exec bootsnap precompile --gemfile app/ lib/`;
  return [
    ...(gems.has("bootsnap") ? [runTheirs({ value: precompile, from: "bootsnap in the Gemfile" })] : []),
    run(
      "rm -rf tmp log && ln -s /tmp tmp && ln -s /tmp log && mkdir -p storage && chown 1000:1000 storage",
      "because Rails writes there while it runs",
    ),
  ];
}

function runStage(plan: BuildPlan, gems: Gems, rails: boolean): Stage {
  const libraries = [...gems.names].flatMap((name) => LIBRARIES[name] ?? []);
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: `The image that runs${rails ? " Rails" : ""}: no compiler, no root`,
    env: {},
    steps: [
      ...aptInstall({ value: libraries, from: "because gems load them" }),
      take("dependencies", BUNDLE, BUNDLE),
      take("build", "/app", "./"),
    ],
  };
}

/** Rails and Rack by puma where it is there, else by what comes with them. */
async function startCommand(tree: SourceTree, gems: Gems, rails: boolean) {
  const shell = (line: string, from: string) => ({ command: ["sh", "-c", `exec ${line}`], from });
  if (rails && gems.has("puma") && (await tree.has("config/puma.rb"))) {
    return { command: ["bundle", "exec", "puma", "-C", "config/puma.rb"], from: "config/puma.rb" };
  }
  if (rails)
    return shell(
      'bundle exec rails server -b 0.0.0.0 -p "$PORT" -P /tmp/server.pid',
      "config/application.rb",
    );
  if (await tree.has("config.ru")) {
    if (gems.has("puma")) return shell('bundle exec puma -b "tcp://0.0.0.0:$PORT"', "config.ru");
    return shell('bundle exec rackup -o 0.0.0.0 -p "$PORT"', "config.ru");
  }
  for (const file of ["app.rb", "main.rb"]) {
    if (!(await tree.has(file))) continue;
    const options = gems.has("sinatra") ? ' -o 0.0.0.0 -p "$PORT"' : "";
    return shell(`bundle exec ruby ${file}${options}`, file);
  }
  return null;
}
