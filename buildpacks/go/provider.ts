import type { BuildPlan, Choice, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { CERTIFICATES, copyAll, copyInPlace, present, runTheirs, take } from "../steps.ts";
import { type GoProgram, goPrograms } from "./programs.ts";

/** Modules whose code is C. */
const CGO =
  /github\.com\/(mattn\/go-sqlite3|confluentinc\/confluent-kafka-go|h2non\/bimg|davidbyttow\/govips|libgit2\/git2go)/;

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
    return mark === null ? null : [mark];
  },
  plan: planGo,
};

async function planGo(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const module = (await tree.read("go.mod")) ?? "";
  const said = /^go (\d+\.\d+)/m.exec(module)?.[1];
  const toolchain = /^toolchain go(\d+\.\d+)/m.exec(module)?.[1];
  const line = toolchain ?? said;
  const from = `${toolchain ? "toolchain" : "go"} ${line} in go.mod`;
  const { version, warnings } = chooseVersion("go", line ? { range: line, from } : null);
  const plan = emptyPlan("go", evidence);
  const programs = await goPrograms(tree, module);
  const framework = FRAMEWORKS.find(([pattern]) => pattern.test(module));
  plan.versions.go = version;
  plan.framework = framework ? { value: framework[1], from: "go.mod" } : null;
  plan.build_image = { value: `golang:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: "debian:bookworm-slim", from: "programs need no Go to run" };
  plan.warnings.push(...warnings);
  plan.env = { HOME: "/tmp", PATH: "/app/bin:$PATH" };
  const web = programs.find(({ isWeb }) => isWeb);
  if (web !== undefined) plan.processes.web = { command: [`/app/bin/${web.name}`], from: web.from };
  plan.stages = [await buildStage(tree, plan, module, programs), await runStage(tree, plan)];
  return plan;
}

async function buildStage(
  tree: SourceTree,
  plan: BuildPlan,
  module: string,
  programs: GoProgram[],
): Promise<Stage> {
  const cgo = CGO.exec(module)?.[0];
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The programs",
    env: { CGO_ENABLED: cgo ? "1" : "0" },
    steps: [...(await moduleSteps(tree, module)), copyAll(), runTheirs(buildCommand(programs, cgo), CACHES)],
  };
}

/** Modules come first, unless they lie in the tree. */
async function moduleSteps(tree: SourceTree, module: string): Promise<Step[]> {
  const inTree = /^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+\.{1,2}\//m.test(module);
  const skip =
    module === "" || inTree || (await tree.has("vendor/modules.txt")) || (await tree.has("go.work"));
  if (skip) return [];
  const files = await present(tree, ["go.mod", "go.sum"]);
  return [...copyInPlace(files), runTheirs({ value: "go mod download", from: files.at(-1)! }, CACHES)];
}

function buildCommand(programs: GoProgram[], cgo: string | undefined): Choice<string> {
  // The time zones of the slim image are gone: 450 KB of them in the program.
  const flags = `-trimpath -tags timetzdata -ldflags="-s -w"`;
  const lines = programs.map(({ name, directory }) => `go build ${flags} -o /out/${name} ${directory}`);
  const from = programs.map(({ from }) => from).join(", ") + (cgo ? `; cgo for ${cgo}` : "");
  return { value: lines.join(" && \\\n    ") || "go build ./...", from };
}

async function runStage(tree: SourceTree, plan: BuildPlan): Promise<Stage> {
  const files = await present(tree, READ_AT_RUN_TIME);
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: the programs and the files they read, no root",
    env: {},
    steps: [
      take("build", CERTIFICATES, CERTIFICATES),
      ...copyInPlace(files.map((path) => `${path}/`)),
      take("build", "/out", "./bin"),
    ],
  };
}
