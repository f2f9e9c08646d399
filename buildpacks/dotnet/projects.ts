import { join } from "node:path/posix";
import { above, readJson, type SourceTree } from "../../src/engine/build/tree.ts";

export interface Project {
  path: string;
  /** Name of its assembly. */
  assembly: string;
  kind: "web" | "program" | "browser" | "library";
  /** Target frameworks as `net8.0`, without those of a system's own. */
  targets: string[];
}

const PROJECT = /^[\w .+-]+\.(cs|fs|vb)proj$/;
const DEPTH = 4;
const MAX_PROJECTS = 100;

/** Every project of the tree, in path order. */
export async function readProjects(tree: SourceTree): Promise<Project[]> {
  const paths = await projectPaths(tree, "", DEPTH);
  return Promise.all(paths.slice(0, MAX_PROJECTS).map((path) => readProject(tree, path)));
}

async function projectPaths(tree: SourceTree, directory: string, depth: number): Promise<string[]> {
  const entries = await tree.list(directory);
  const at = (name: string) => (directory === "" ? name : `${directory}/${name}`);
  const own = entries.filter((one) => !one.directory && PROJECT.test(one.name)).map(({ name }) => at(name));
  if (depth === 1) return own;
  const inner = entries.filter((one) => one.directory && !/^(\.|bin$|obj$|node_modules$)/.test(one.name));
  const deeper = await Promise.all(inner.map(({ name }) => projectPaths(tree, at(name), depth - 1)));
  return [...own, ...deeper.flat()];
}

async function readProject(tree: SourceTree, path: string): Promise<Project> {
  const text = (await tree.read(path)) ?? "";
  // Each directory above may hold what its projects share.
  const props = above(path).map((directory) => tree.read(join(directory, "Directory.Build.props")));
  const shared = (await Promise.all(props)).join("\n");
  const assembly = /<AssemblyName>\s*([\w.-]+)\s*</.exec(text)?.[1];
  const stated =
    /<TargetFrameworks?>([^<]+)/.exec(text)?.[1] ?? /<TargetFrameworks?>([^<]+)/.exec(shared)?.[1];
  return {
    path,
    assembly: assembly ?? path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+proj$/, ""),
    kind: kindOf(text),
    targets: (stated ?? "")
      .split(";")
      .map((one) => one.trim())
      .filter((one) => /^net\d+\.\d+$/.test(one)),
  };
}

/** Packages that only a project of tests has; since xunit.v3 such a project is a program by itself. */
const TESTS = /Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s*true|"(?:xunit|NUnit|MSTest|TUnit)\b/i;

function kindOf(text: string): Project["kind"] {
  if (TESTS.test(text)) return "library";
  if (/Microsoft\.NET\.Sdk\.BlazorWebAssembly/.test(text)) return "browser";
  if (/Microsoft\.NET\.Sdk\.Web/.test(text)) return "web";
  return /<OutputType>\s*Exe|Microsoft\.NET\.Sdk\.Worker/i.test(text) ? "program" : "library";
}

/** The web project, else the only program, else the only site for the browser; null when there is none. */
export function chosenProject(all: Project[]): Project | null {
  const of = (kind: Project["kind"]) => all.filter((project) => project.kind === kind);
  const web = of("web").find(({ path }) => !/test/i.test(path)) ?? of("web")[0];
  const only = (found: Project[]) => (found.length === 1 ? found[0]! : null);
  return web ?? only(of("program")) ?? only(of("browser"));
}

export interface GlobalJson {
  version: string;
  /** Whether the SDK's own release has to be this one, to its hundreds (learn.microsoft.com, global.json). */
  exact: boolean;
}

/** The SDK that global.json asks for; null when it asks for none. */
export async function readGlobalJson(tree: SourceTree): Promise<GlobalJson | null> {
  const json = await readJson(tree, "global.json").catch(() => null);
  const sdk = (json?.sdk ?? {}) as Record<string, unknown>;
  if (typeof sdk.version !== "string" || !/^\d+\.\d+\.\d+$/.test(sdk.version)) return null;
  const rolls = ["feature", "minor", "major", "latestFeature", "latestMinor", "latestMajor"];
  return { version: sdk.version, exact: !rolls.includes(String(sdk.rollForward)) };
}
