import { firstOf, normalisePath, type SourceTree } from "../../src/engine/build/tree.ts";
import type { VersionWish } from "../runtime-versions.ts";
import { readToml, type Table, tableOf } from "../tables.ts";
import { toolVersion } from "../tool-versions.ts";

/** What the manifests of a Python project say. */
export interface PythonProject {
  /** Lower-case names of direct dependencies, with `_` and `.` as `-` (PEP 503); with extras also `name[extra]`. */
  dependencies: Set<string>;
  /** Import name of the project's own package, by its name; null when it has none. */
  packageName: string | null;
  wish: VersionWish | null;
  /** Where pyproject.toml describes dependencies: PEP 621's table, or poetry's own; null for neither. */
  table: "project" | "poetry" | null;
  /** The first of `REQUIREMENTS` that is there. */
  requirements: string | null;
  /** Dependencies are files or directories of the tree. */
  needsTree: boolean;
  /** Files that the requirements include with -r or -c. */
  included: string[];
}

/** requirements.txt, or the file of a directory requirements/ that says what production needs. */
export const REQUIREMENTS = [
  "requirements.txt",
  "requirements/production.txt",
  "requirements/prod.txt",
  "requirements/base.txt",
];

/** Reads requirements.txt, pyproject.toml, Pipfile and the version files. Broken ones count as absent. */
export async function readPythonProject(tree: SourceTree): Promise<PythonProject> {
  const pyproject = await readToml(tree, "pyproject.toml");
  const pipfile = await readToml(tree, "Pipfile");
  const project = tableOf(pyproject.project);
  const poetry = tableOf(tableOf(pyproject.tool).poetry);
  const requirements = await firstOf(tree, REQUIREMENTS);
  const listed = requirements === null ? NOTHING : await readRequirements(tree, requirements);
  const name = project.name ?? poetry.name;
  return {
    dependencies: new Set([
      ...listed.names,
      ...listOf(project.dependencies).flatMap(namesOf),
      ...Object.entries(tableOf(poetry.dependencies)).flatMap(namesOfTable),
      ...Object.entries(tableOf(pipfile.packages)).flatMap(namesOfTable),
    ]),
    packageName: typeof name === "string" ? name.toLowerCase().replace(/[-.]+/g, "_") : null,
    wish: await versionWish(tree, project, poetry, pipfile),
    table: Array.isArray(project.dependencies)
      ? "project"
      : poetry.dependencies !== undefined
        ? "poetry"
        : null,
    requirements,
    needsTree: listed.needsTree || namesPaths(pyproject, poetry, pipfile),
    included: listed.included,
  };
}

/** uv's sources and members, and poetry's and pipenv's path dependencies. */
function namesPaths(pyproject: Table, poetry: Table, pipfile: Table): boolean {
  const sources = tableOf(tableOf(tableOf(pyproject.tool).uv).sources);
  const tables = [sources, tableOf(poetry.dependencies), tableOf(pipfile.packages)].flatMap(Object.values);
  return tables.some((said) => "path" in tableOf(said) || "workspace" in tableOf(said));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** The name of a requirement (PEP 508), and the name with each of its extras. */
function namesOf(requirement: string): string[] {
  const [, name, extras] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?/.exec(requirement) ?? [];
  return name === undefined ? [] : withExtras(name, extras?.split(",") ?? []);
}

function namesOfTable([name, said]: [string, unknown]): string[] {
  return withExtras(name, listOf(tableOf(said).extras));
}

function withExtras(name: string, extras: string[]): string[] {
  const normal = name.toLowerCase().replace(/[-_.]+/g, "-");
  return [normal, ...extras.map((extra) => `${normal}[${extra.trim().toLowerCase()}]`)];
}

const NOTHING = { names: [] as string[], included: [] as string[], needsTree: false };

async function readRequirements(tree: SourceTree, path: string, seen = new Set<string>()) {
  const found = { names: [] as string[], included: [] as string[], needsTree: false };
  const text = await tree.read(path);
  if (text === null || seen.has(path) || seen.size > 20) return found;
  seen.add(path);
  for (const raw of text.split("\n")) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    const said = /^(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)$/.exec(line)?.[1];
    const include = said === undefined ? null : normalisePath(`${directoryOf(path)}${said}`);
    if (include !== null) {
      const inner = await readRequirements(tree, include, seen);
      found.included.push(include, ...inner.included);
      found.names.push(...inner.names);
      found.needsTree ||= inner.needsTree;
    } else if (/^(-e|--editable)[\s=]+(?!git\+|https?:)|^\.{1,2}(\/|$|\[)|^file:|@ file:/.test(line))
      found.needsTree = true;
    else if (line !== "" && !line.startsWith("-")) found.names.push(...namesOf(line));
  }
  return found;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** .python-version, runtime.txt, asdf or mise, requires-python, poetry's and Pipfile's own fields, in this order. */
async function versionWish(
  tree: SourceTree,
  project: Table,
  poetry: Table,
  pipfile: Table,
): Promise<VersionWish | null> {
  const file = (await tree.read(".python-version"))?.split("\n")[0]?.trim();
  if (file) return { range: file, from: `.python-version: ${file}` };
  const runtime = /^python-(\d+\.\d+(?:\.\d+)?)/.exec((await tree.read("runtime.txt")) ?? "")?.[1];
  if (runtime) return { range: runtime, from: `runtime.txt: python-${runtime}` };
  const tool = await toolVersion(tree, "python");
  if (tool !== null) return tool;
  const requires = tableOf(pipfile.requires);
  const stated: [unknown, string][] = [
    [project["requires-python"], "requires-python in pyproject.toml"],
    [tableOf(poetry.dependencies).python, "python in pyproject.toml"],
    [requires.python_full_version ?? requires.python_version, "requires in Pipfile"],
  ];
  const said = stated.find(([value]) => typeof value === "string");
  return said === undefined ? null : { range: toRange(said[0] as string), from: `${said[1]}: ${said[0]}` };
}

/** PEP 440 specifiers in npm's syntax, as far as lines of a language go. */
export function toRange(specifier: string): string {
  return specifier
    .split(",")
    .map((part) => part.trim())
    .filter((part) => !part.startsWith("!="))
    .map((part) => part.replace(/^==+\s*/, "").replace(/\.\*$/, ".x"))
    .map((part) => part.replace(/^~=\s*(\d+)\.(\d+)$/, ">=$1.$2.0 <$1.99.99").replace(/^~=\s*/, "~"))
    .map((part) =>
      part.replace(/^(<=?|>=?)\s*(\d+)\.(\d+)$/, "$1$2.$3.0").replace(/^(<=?|>=?)\s*(\d+)$/, "$1$2.0.0"),
    )
    .join(" ");
}
