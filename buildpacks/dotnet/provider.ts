import { join } from "node:path/posix";
import type { BuildPlan, Choice, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { above, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion, type VersionWish } from "../runtime-versions.ts";
import { serveFiles } from "../static/files-image.ts";
import { copyAll, copyInPlace, present, runTheirs, take } from "../steps.ts";
import { chosenProject, type GlobalJson, type Project, readGlobalJson, readProjects } from "./projects.ts";

const CACHES = { nuget: "/root/.nuget/packages" };

/** Files beside the projects, or above them, that a restore reads. */
const SHARED = [
  "global.json",
  "nuget.config",
  "NuGet.config",
  "NuGet.Config",
  "Directory.Build.props",
  "Directory.Build.targets",
  "Directory.Packages.props",
];

/** ASP.NET and other .NET programs, one project or the web project of several; Blazor sites. */
export const dotnetProvider: Provider = {
  name: "dotnet",
  looks_for: "*.csproj, *.fsproj up to three levels down (.NET)",
  start_from: "the web project (Microsoft.NET.Sdk.Web), else the only project that is a program",
  async detect(tree) {
    const project = chosenProject(await readProjects(tree));
    return project === null ? null : [project.path];
  },
  plan: planDotnet,
};

async function planDotnet(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const projects = await readProjects(tree);
  const project = chosenProject(projects)!;
  const target = newestTarget(project);
  const sdk = await readGlobalJson(tree);
  const { version, warnings } = chooseVersion("dotnet", wishOf(project, target, sdk));
  const plan = emptyPlan("dotnet", evidence);
  plan.versions.dotnet = version;
  plan.framework = frameworkOf(project);
  plan.package_manager = { value: "nuget", from: project.path };
  plan.build_image = sdkImage(sdk, version);
  plan.run_image = { value: `mcr.microsoft.com/dotnet/aspnet:${version.value}`, from: version.from };
  plan.env = { HOME: "/tmp", DOTNET_EnableDiagnostics: "0" };
  plan.ignore = ["**/bin", "**/obj"];
  plan.warnings.push(...warnings, ...ambiguity(projects, project));
  plan.stages = [await buildStage(tree, plan, projects, project, target)];
  if (project.kind === "browser") {
    const from = `what ${project.path} publishes`;
    const root = { value: "/out/wwwroot", from };
    serveFiles(plan, {
      root,
      spa: { value: true, from: "Blazor is one page" },
      stage: "build",
      path: root.value,
    });
    return plan;
  }
  const line = `ASPNETCORE_URLS="http://0.0.0.0:$PORT" exec dotnet ${quote(`${project.assembly}.dll`)}`;
  plan.processes.web = { command: ["sh", "-c", line], from: project.path };
  plan.stages.push({
    name: "run",
    from: plan.run_image.value,
    purpose: "The image that runs: no SDK, no root",
    env: {},
    steps: [take("build", "/out", "./")],
  });
  return plan;
}

/** Of several targets one is published. */
function newestTarget({ targets }: Project): string | null {
  const number = (target: string) => Number.parseFloat(target.slice("net".length));
  return targets.toSorted((a, b) => number(b) - number(a))[0] ?? null;
}

/** What runs it is said by the project; global.json speaks of what builds it. */
function wishOf(project: Project, target: string | null, sdk: GlobalJson | null): VersionWish | null {
  if (target !== null)
    return { range: target.slice("net".length), from: `TargetFramework of ${project.path}: ${target}` };
  return sdk === null ? null : { range: sdk.version, from: `sdk in global.json: ${sdk.version}` };
}

/** An SDK may be newer than what it builds for; one that is pinned is an image of its own. */
function sdkImage(sdk: GlobalJson | null, version: Choice<string>): Choice<string> {
  const repository = "mcr.microsoft.com/dotnet/sdk";
  if (sdk === null) return { value: `${repository}:${version.value}`, from: version.from };
  const tag = sdk.exact ? sdk.version : sdk.version.split(".").slice(0, 2).join(".");
  return { value: `${repository}:${tag}`, from: `sdk in global.json: ${sdk.version}` };
}

function frameworkOf({ kind, path }: Project): BuildPlan["framework"] {
  if (kind === "browser") return { value: "Blazor", from: `Sdk in ${path}` };
  return kind === "web" ? { value: "ASP.NET", from: `Sdk in ${path}` } : null;
}

function ambiguity(projects: Project[], { path }: Project): string[] {
  const others = projects.filter((one) => one.kind === "web" && one.path !== path).map((one) => one.path);
  return others.length === 0
    ? []
    : [`${path} is the app; ${others.join(", ")} would be by a subdirectory of its own.`];
}

/** Packages come first, from every project's manifest, since projects refer to each other. */
async function buildStage(
  tree: SourceTree,
  plan: BuildPlan,
  projects: Project[],
  project: Project,
  target: string | null,
): Promise<Stage> {
  const locks = projects.map(({ path }) => path.replace(/[^/]+$/, "packages.lock.json"));
  const directories = [...new Set(projects.flatMap(({ path }) => above(path)))].sort();
  const shared = directories.flatMap((directory) => SHARED.map((name) => join(directory, name)));
  const manifests = await present(tree, [...shared, ...projects.map(({ path }) => path), ...locks]);
  const path = quote(project.path);
  const framework = project.targets.length > 1 ? ` --framework ${target}` : "";
  const publish = `dotnet publish ${path} --configuration Release --no-restore${framework} --output /out /p:UseAppHost=false`;
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The program",
    env: { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1" },
    steps: [
      ...copyInPlace([...new Set(manifests)]),
      runTheirs({ value: `dotnet restore ${path}`, from: project.path }, CACHES),
      copyAll(),
      runTheirs({ value: publish, from: project.path }, CACHES),
    ],
  };
}
