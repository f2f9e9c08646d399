import { join } from "node:path/posix";
import type { BuildPlan, Choice, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { aptInstall, CERTIFICATES, copyAll, copyInPlace, present, runTheirs, take } from "../steps.ts";
import { findModule, type GoModule, goWish } from "./module.ts";
import { type GoProgram, goPrograms } from "./programs.ts";

/** Modules whose code is C, and the Debian packages that they are built and run with. */
const CGO: [RegExp, { build: string[]; run: string[] }][] = [
  [/github\.com\/mattn\/go-sqlite3/, { build: [], run: [] }],
  [/github\.com\/confluentinc\/confluent-kafka-go/, { build: [], run: [] }],
  [/github\.com\/(h2non\/bimg|davidbyttow\/govips)/, { build: ["libvips-dev"], run: ["libvips42"] }],
  [/github\.com\/libgit2\/git2go/, { build: ["libgit2-dev"], run: ["libgit2-1.5"] }],
];

/** Directories that programs read at run time; sources stay behind. */
const READ_AT_RUN_TIME = [
  "templates",
  "views",
  "static",
  "public",
  "assets",
  "web",
  "migrations",
  "config",
  "configs",
  "locales",
];

const CACHES = { "go-modules": "/go/pkg/mod", "go-build": "/root/.cache/go-build" };

const FRAMEWORKS: [RegExp, string][] = [
  [/github\.com\/gin-gonic\/gin\b/, "Gin"],
  [/github\.com\/labstack\/echo\b/, "Echo"],
  [/github\.com\/gofiber\/fiber\b/, "Fiber"],
  [/github\.com\/go-chi\/chi\b/, "chi"],
  [/github\.com\/gorilla\/mux\b/, "Gorilla"],
];

/** Go modules: one program at the root, or one for each directory of cmd/. */
export const goProvider: Provider = {
  name: "go",
  looks_for: "go.mod or main.go (Go)",
  start_from: "main.go at the root and in the directories of cmd/",
  async detect(tree) {
    const mark = await firstOf(tree, ["go.mod", "go.work", "main.go"]);
    if (mark !== null) return [mark];
    // A program's directory inside a module of the repository.
    const { context, directory } = await findModule(tree);
    const isProgram = context !== null && (await goPrograms(tree.root, "", tree.subdirectory, [])).length > 0;
    return isProgram
      ? [`${directory} in the module of ${context === "" ? "the repository" : context}`]
      : null;
  },
  plan: planGo,
};

async function planGo(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const module = await findModule(tree);
  const { version, warnings } = chooseVersion("go", goWish(module.text));
  const programs = await goPrograms(module.tree, module.text, module.directory, module.workspace);
  const framework = FRAMEWORKS.find(([pattern]) => pattern.test(module.text));
  const plan = emptyPlan("go", evidence);
  plan.context = module.context;
  plan.directory = module.directory;
  plan.versions.go = version;
  plan.framework = framework ? { value: framework[1], from: "go.mod" } : null;
  plan.build_image = { value: `golang:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: "debian:bookworm-slim", from: "programs need no Go to run" };
  plan.warnings.push(...warnings);
  plan.env = { HOME: "/tmp", PATH: "/app/bin:$PATH" };
  const web = programs.find(({ isWeb }) => isWeb);
  if (web !== undefined) plan.processes.web = { command: [`/app/bin/${web.name}`], from: web.from };
  plan.stages = [await buildStage(plan, module, programs), await runStage(plan, module)];
  return plan;
}

function cgoOf({ text }: GoModule) {
  return CGO.map(([pattern, packages]) => ({ name: pattern.exec(text)?.[0], ...packages })).filter(
    ({ name }) => name !== undefined,
  );
}

async function buildStage(plan: BuildPlan, module: GoModule, programs: GoProgram[]): Promise<Stage> {
  const cgo = cgoOf(module);
  const libraries = { value: cgo.flatMap(({ build }) => build), from: "because cgo builds with them" };
  const because = cgo.length > 0 ? `; cgo for ${cgo.map(({ name }) => name).join(", ")}` : "";
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The programs",
    env: { CGO_ENABLED: cgo.length > 0 ? "1" : "0" },
    steps: [
      ...aptInstall(libraries),
      ...(await moduleSteps(module)),
      copyAll(),
      runTheirs(buildCommand(programs, because), CACHES),
    ],
  };
}

/** Modules come first, unless they lie in the tree. */
async function moduleSteps({ tree, text, workspace }: GoModule): Promise<Step[]> {
  const inTree = /^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+\.{1,2}\//m.test(text);
  const vendored = await firstOf(tree, ["vendor/modules.txt", "go.work.vendor"]);
  if (text === "" || inTree || vendored !== null) return [];
  const modules = workspace.flatMap((directory) => ["go.mod", "go.sum"].map((file) => join(directory, file)));
  const files = await present(tree, ["go.work", "go.work.sum", "go.mod", "go.sum", ...modules]);
  const from = files.includes("go.work") ? "go.work" : files.at(-1)!;
  return [...copyInPlace([...new Set(files)]), runTheirs({ value: "go mod download", from }, CACHES)];
}

function buildCommand(programs: GoProgram[], because: string): Choice<string> {
  // The time zones of the slim image are gone: 450 KB of them in the program.
  const flags = `-trimpath -tags timetzdata -ldflags="-s -w"`;
  const lines = programs.map(
    ({ name, directory }) => `go build ${flags} -o /out/${name} ${quote(directory)}`,
  );
  const from = programs.map(({ from }) => from).join(", ") + because;
  return { value: lines.join(" && \\\n    ") || "go build ./...", from };
}

async function runStage(plan: BuildPlan, module: GoModule): Promise<Stage> {
  const files = await present(
    module.tree,
    READ_AT_RUN_TIME.map((name) => join(module.directory, name)),
  );
  const libraries = cgoOf(module).flatMap(({ run }) => run);
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: the programs and the files they read, no root",
    env: {},
    steps: [
      ...aptInstall({ value: libraries, from: "because cgo loads them" }),
      take("build", CERTIFICATES, CERTIFICATES),
      ...copyInPlace(files.map((path) => `${path}/`)),
      take("build", "/out", "./bin"),
    ],
  };
}
