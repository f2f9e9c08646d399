import type { BuildPlan, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { copyAll, copyInPlace, runTheirs, take } from "../steps.ts";

const PROJECT = /^[\w .+-]+\.(cs|fs|vb)proj$/;
const CACHES = { nuget: "/root/.nuget/packages" };

interface Project {
  path: string;
  /** Name of its assembly. */
  assembly: string;
  text: string;
}

/** ASP.NET and other .NET programs, one project or the web project of several. */
export const dotnetProvider: Provider = {
  name: "dotnet",
  looks_for: "*.csproj, *.fsproj at the root or one level down (.NET)",
  start_from: "the web project (Microsoft.NET.Sdk.Web), else the only project that is a program",
  async detect(tree) {
    const project = chosen(await projects(tree));
    return project === null ? null : [project.path];
  },
  plan: planDotnet,
};

async function planDotnet(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const project = chosen(await projects(tree))!;
  const target = /<TargetFrameworks?>\s*net(\d+\.\d+)/.exec(project.text)?.[1];
  const from = `TargetFramework in ${project.path}: net${target}`;
  const { version, warnings } = chooseVersion("dotnet", target ? { range: target, from } : null);
  const isWeb = /Microsoft\.NET\.Sdk\.Web/.test(project.text);
  const plan = emptyPlan("dotnet", evidence);
  plan.versions.dotnet = version;
  plan.framework = isWeb ? { value: "ASP.NET", from: `Sdk in ${project.path}` } : null;
  plan.package_manager = { value: "nuget", from: project.path };
  plan.build_image = { value: `mcr.microsoft.com/dotnet/sdk:${version.value}`, from: version.from };
  plan.run_image = { value: `mcr.microsoft.com/dotnet/aspnet:${version.value}`, from: version.from };
  plan.env = { HOME: "/tmp", DOTNET_EnableDiagnostics: "0" };
  plan.warnings.push(...warnings);
  const line = `ASPNETCORE_URLS="http://0.0.0.0:$PORT" exec dotnet ${quote(`${project.assembly}.dll`)}`;
  plan.processes.web = { command: ["sh", "-c", line], from: project.path };
  plan.stages = [await buildStage(tree, plan, project), runStage(plan)];
  return plan;
}

async function projects(tree: SourceTree): Promise<Project[]> {
  const paths: string[] = [];
  for (const { name, directory } of await tree.list("")) {
    if (!directory && PROJECT.test(name)) paths.push(name);
    if (!directory || name.startsWith(".")) continue;
    for (const inner of await tree.list(name)) {
      if (!inner.directory && PROJECT.test(inner.name)) paths.push(`${name}/${inner.name}`);
      if (name !== "src" || !inner.directory) continue;
      for (const deep of await tree.list(`src/${inner.name}`)) {
        if (PROJECT.test(deep.name)) paths.push(`src/${inner.name}/${deep.name}`);
      }
    }
  }
  const read = async (path: string): Promise<Project> => {
    const text = (await tree.read(path)) ?? "";
    const assembly = /<AssemblyName>\s*([\w.-]+)\s*</.exec(text)?.[1];
    return {
      path,
      text,
      assembly: assembly ?? path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+proj$/, ""),
    };
  };
  return Promise.all(paths.map(read));
}

function chosen(all: Project[]): Project | null {
  const web = all.filter(({ text }) => /Microsoft\.NET\.Sdk\.Web/.test(text));
  const programs = all.filter(({ text }) => /<OutputType>\s*Exe/i.test(text));
  return web[0] ?? (programs.length === 1 ? programs[0]! : null);
}

/** With one project its packages come first, so that code does not touch them; several refer to each other. */
async function buildStage(tree: SourceTree, plan: BuildPlan, project: Project): Promise<Stage> {
  const alone = (await projects(tree)).length === 1;
  const path = quote(project.path);
  const restore = runTheirs({ value: `dotnet restore ${path}`, from: project.path }, CACHES);
  const publish = `dotnet publish ${path} --configuration Release --output /out /p:UseAppHost=false${alone ? " --no-restore" : ""}`;
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The program",
    env: { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1" },
    steps: [
      ...(alone ? [...copyInPlace([project.path]), restore] : []),
      copyAll(),
      runTheirs({ value: publish, from: project.path }, CACHES),
    ],
  };
}

function runStage(plan: BuildPlan): Stage {
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: no SDK, no root",
    env: {},
    steps: [take("build", "/out", "./")],
  };
}
