import { quote } from "../../src/engine/build/quote.ts";
import { type SourceTree, subtree } from "../../src/engine/build/tree.ts";
import { chooseFramework } from "./framework.ts";
import { type PackageJson, readPackageJson } from "./package-json.ts";
import type { StartCommand } from "./start-command.ts";

/** The package that is the app: the root, or the one member of a workspace that can be started or served. */
export interface AppPackage {
  /** "" for the root. */
  directory: string;
  tree: SourceTree;
  pkg: PackageJson;
}

const PLAIN = /^[\w@.-]+(\/[\w@.-]+)*$/;
const MAX_MEMBERS = 100;

/** Where a workspace's root starts nothing itself, its only member that does is the app; of several, none is. */
export async function appPackage(tree: SourceTree, root: PackageJson): Promise<AppPackage> {
  const own: AppPackage = { directory: "", tree, pkg: root };
  if (root.scripts.start !== undefined || (await isApp(own))) return own;
  const apps: AppPackage[] = [];
  for (const directory of await members(tree, root)) {
    const inside = subtree(tree, directory);
    const pkg = await readPackageJson(inside).catch(() => null);
    const member = pkg === null ? null : { directory, tree: inside, pkg };
    if (member !== null && (await isApp(member))) apps.push(member);
  }
  return apps.length === 1 ? apps[0]! : own;
}

/** Runs a command of the app's package from the app's directory. */
export function inDirectory(directory: string, start: StartCommand): StartCommand {
  if (directory === "") return start;
  const [first, second, line] = start.command;
  const isShell = first === "sh" && second === "-c" && line !== undefined && start.command.length === 3;
  const words = isShell ? line : `exec ${start.command.map(quote).join(" ")}`;
  return { command: ["sh", "-c", `cd ${quote(directory)} && ${words}`], from: `${directory}: ${start.from}` };
}

async function isApp({ tree, pkg }: AppPackage): Promise<boolean> {
  if (pkg.scripts.start !== undefined) return true;
  const framework = await chooseFramework(tree, pkg);
  return framework !== null && (framework.files !== null || framework.start !== null);
}

/** Directories of package.json's or pnpm's patterns: plain ones, and `directory/*`. */
async function members(tree: SourceTree, root: PackageJson): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of [...root.workspaces, ...(await pnpmPackages(tree))]) {
    const path = pattern.replace(/^\.\//, "").replace(/\/$/, "");
    const parent = /^(.*)\/\*{1,2}$/.exec(path)?.[1];
    const names = parent === undefined ? [path] : await childrenOf(tree, parent);
    found.push(...names.filter((name) => PLAIN.test(name) && !name.split("/").includes("..")));
  }
  return [...new Set(found)].slice(0, MAX_MEMBERS);
}

async function childrenOf(tree: SourceTree, parent: string): Promise<string[]> {
  return (await tree.list(parent))
    .filter(({ directory }) => directory)
    .map(({ name }) => `${parent}/${name}`);
}

/** `packages` of pnpm-workspace.yaml; the file may hold settings only. */
export async function pnpmPackages(tree: SourceTree): Promise<string[]> {
  try {
    const text = await tree.read("pnpm-workspace.yaml");
    const { packages } = (text === null ? {} : Bun.YAML.parse(text)) as { packages?: unknown };
    return Array.isArray(packages) ? packages.filter((item): item is string => typeof item === "string") : [];
  } catch {
    return [];
  }
}
