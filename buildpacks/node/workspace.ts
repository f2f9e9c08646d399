import { quote } from "../../src/engine/build/quote.ts";
import { above, type SourceTree, subtree } from "../../src/engine/build/tree.ts";
import { chooseFramework } from "./framework.ts";
import { type PackageJson, readPackageJson } from "./package-json.ts";
import type { StartCommand } from "./start-command.ts";

/** The package that is the app: the root, or one member of a workspace. */
export interface AppPackage {
  /** Its place below the root of the workspace; "" for the root. */
  directory: string;
  tree: SourceTree;
  pkg: PackageJson;
}

/** A package.json with its lockfile, and what belongs to it. */
export interface Workspace {
  tree: SourceTree;
  pkg: PackageJson;
  /** Directories of its members; empty when it is none, null when its patterns cannot be followed. */
  members: string[] | null;
  app: AppPackage;
  /** Where it lies in the repository when the app is a directory of it; null when it is the app's own directory. */
  context: string | null;
}

const PLAIN = /^[\w@.-]+(\/[\w@.-]+)*$/;
const MAX_MEMBERS = 100;
const MAX_DEPTH = 4;
const MAX_PARTS = 8;

/** The workspace that a directory is a member of, else the directory itself; null without a package.json. */
export async function findWorkspace(tree: SourceTree): Promise<Workspace | null> {
  const pkg = await readPackageJson(tree);
  if (pkg === null) return null;
  for (const context of above(tree.subdirectory)) {
    const outer = subtree(tree.root, context);
    const root = await readPackageJson(outer).catch(() => null);
    const directory = context === "" ? tree.subdirectory : tree.subdirectory.slice(context.length + 1);
    const members = root === null ? null : await membersOf(outer, root);
    if (root === null || members === null || !members.includes(directory)) continue;
    return { tree: outer, pkg: root, members, app: { directory, tree, pkg }, context };
  }
  const members = await membersOf(tree, pkg);
  return { tree, pkg, members, app: await appPackage(tree, pkg, members ?? []), context: null };
}

/** Where a workspace's root starts nothing itself, its only member that does is the app; of several, none is. */
async function appPackage(tree: SourceTree, root: PackageJson, members: string[]): Promise<AppPackage> {
  const own: AppPackage = { directory: "", tree, pkg: root };
  if (root.scripts.start !== undefined || (await isApp(own))) return own;
  const apps: AppPackage[] = [];
  for (const directory of members) {
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

/**
 * Directories with a package.json that package.json's or pnpm's patterns name. Brackets and braces, and what leads out
 * of the tree, are not followed.
 */
async function membersOf(tree: SourceTree, root: PackageJson): Promise<string[] | null> {
  const found = new Set<string>();
  // pnpm's lists may name the root, which is no member of itself.
  const patterns = [...root.workspaces, ...(await pnpmPackages(tree))].filter((one) => plainly(one) !== ".");
  if (!patterns.every((one) => isFollowed(one.replace(/^!/, "")))) return null;
  const excluded = patterns
    .filter((one) => one.startsWith("!"))
    .map((one) => new Bun.Glob(plainly(one.slice(1))));
  for (const pattern of patterns.filter((one) => !one.startsWith("!")).map(plainly)) {
    for (const directory of await matching(tree, pattern)) {
      const isMember = PLAIN.test(directory) && !excluded.some((glob) => glob.match(directory));
      if (isMember && (await tree.has(`${directory}/package.json`))) found.add(directory);
    }
  }
  return found.size > MAX_MEMBERS ? null : [...found];
}

/** Of few parts, since a matcher's work grows with its stars. */
function isFollowed(pattern: string): boolean {
  const parts = pattern.split("/");
  return /^[\w@./*-]{1,200}$/.test(pattern) && parts.length <= MAX_PARTS && !parts.includes("..");
}

function plainly(pattern: string): string {
  return pattern.replace(/\/$/, "").replace(/^\.\//, "");
}

/** Directories that a pattern may mean, at most `MAX_DEPTH` below its plain beginning. */
async function matching(tree: SourceTree, pattern: string): Promise<string[]> {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => part.includes("*"));
  if (wild < 0) return [pattern];
  const depth = pattern.includes("**") ? MAX_DEPTH : parts.length - wild;
  const glob = new Bun.Glob(pattern);
  return (await directoriesBelow(tree, parts.slice(0, wild).join("/"), depth)).filter((one) =>
    glob.match(one),
  );
}

async function directoriesBelow(tree: SourceTree, parent: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const children = (await tree.list(parent))
    .filter(({ name, directory }) => directory && name !== "node_modules" && !name.startsWith("."))
    .map(({ name }) => (parent === "" ? name : `${parent}/${name}`));
  const deeper = await Promise.all(children.map((child) => directoriesBelow(tree, child, depth - 1)));
  return [...children, ...deeper.flat()];
}

/** `packages` of pnpm-workspace.yaml; the file may hold settings only. */
async function pnpmPackages(tree: SourceTree): Promise<string[]> {
  try {
    const text = await tree.read("pnpm-workspace.yaml");
    const { packages } = (text === null ? {} : Bun.YAML.parse(text)) as { packages?: unknown };
    return Array.isArray(packages) ? packages.filter((item): item is string => typeof item === "string") : [];
  } catch {
    return [];
  }
}
