import { join } from "node:path/posix";
import { above, type SourceTree, subtree } from "../../src/engine/build/tree.ts";
import { readToml, type Table, tableOf } from "../tables.ts";

/** A crate with its Cargo.toml. */
export interface Crate {
  /** Place below the tree that Cargo builds in; "" is its root. */
  directory: string;
  name: string | null;
  /** Names of its dependencies. */
  dependencies: string[];
  manifest: Table;
}

/** Where Cargo builds: the crate's own directory, or the workspace around it. */
export interface CargoTree {
  tree: SourceTree;
  /** Place of `tree` in the repository when the app is a directory of it; null when it is the app's own directory. */
  context: string | null;
  /** The app's directory below `tree`. */
  directory: string;
  /** The root's crate where it has one, then the members of the workspace. */
  crates: Crate[];
}

const MAX_MEMBERS = 100;

/** The workspace that a crate is a member of, else the directory itself. */
export async function findCargoTree(tree: SourceTree): Promise<CargoTree> {
  for (const context of above(tree.subdirectory)) {
    const outer = subtree(tree.root, context);
    const directory = context === "" ? tree.subdirectory : tree.subdirectory.slice(context.length + 1);
    const crates = await cratesOf(outer);
    if (crates.some((crate) => crate.directory === directory))
      return { tree: outer, context, directory, crates };
  }
  return { tree, context: null, directory: "", crates: await cratesOf(tree) };
}

async function cratesOf(tree: SourceTree): Promise<Crate[]> {
  const root = await readCrate(tree, "");
  if (root === null) return [];
  const members = tableOf(root.manifest.workspace).members;
  const patterns = Array.isArray(members) ? members.filter((one) => typeof one === "string") : [];
  const directories = (await Promise.all(patterns.map((pattern) => expand(tree, pattern)))).flat();
  const crates = await Promise.all(directories.slice(0, MAX_MEMBERS).map((one) => readCrate(tree, one)));
  return [root, ...crates.filter((crate) => crate !== null)];
}

/** `crates/*` and plain directories: what workspaces are made of in practice. */
async function expand(tree: SourceTree, pattern: string): Promise<string[]> {
  const path = pattern.replace(/^\.\//, "").replace(/\/$/, "");
  if (path !== "*" && !path.endsWith("/*")) return [path];
  const parent = path.slice(0, -2);
  return (await tree.list(parent))
    .filter((entry) => entry.directory)
    .map((entry) => join(parent, entry.name));
}

async function readCrate(tree: SourceTree, directory: string): Promise<Crate | null> {
  const path = join(directory, "Cargo.toml");
  if (!(await tree.has(path))) return null;
  const manifest = await readToml(tree, path);
  return {
    directory,
    name: textOf(tableOf(manifest.package).name),
    dependencies: Object.keys(tableOf(manifest.dependencies)),
    manifest,
  };
}

export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
