import type { Choice, RunStep, Step } from "../src/engine/build/plan.ts";
import type { SourceTree } from "../src/engine/build/tree.ts";

/** A command of ours. */
export function run(value: string, from: string, caches: Record<string, string> = {}): RunStep {
  return { type: "run", command: { value, from }, caches, mounts: [], secrets: false };
}

/** A command that runs the person's code or fetches what it names: it sees the build's secrets. */
export function runTheirs(command: Choice<string>, caches: Record<string, string> = {}): RunStep {
  return { ...run(command.value, command.from, caches), secrets: true };
}

export function copyAll(): Step {
  return { type: "copy", paths: ["."], to: "./" };
}

/**
 * Each path to where it lies in the tree. COPY keeps no directories of its sources: one instruction for each
 * directory. A path that ends with `/` is a whole directory.
 */
export function copyInPlace(paths: string[]): Step[] {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const slash = path.lastIndexOf("/");
    const to = slash < 0 ? "./" : `./${path.slice(0, slash)}/`;
    groups.set(to, [...(groups.get(to) ?? []), path]);
  }
  return [...groups].map(([to, group]) => ({ type: "copy", paths: group, to }));
}

/** Those of the paths that the tree has. */
export async function present(tree: SourceTree, paths: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) if (path === "." || (await tree.has(path))) found.push(path);
  return found;
}

/** What a stage of packages says it is for. */
export function packagesPurpose(packages: string, isLocked: boolean): string {
  return `${packages}, as the ${isLocked ? "lockfile" : "manifest"} has them`;
}

export function take(stage: string, path: string, to: string): Step {
  return { type: "take", stage, path, to };
}

/** Debian packages in one layer, their lists not kept. Nothing for an empty list. */
export function aptInstall(packages: Choice<string[]>): Step[] {
  const names = [...new Set(packages.value)].sort();
  if (names.length === 0) return [];
  const line = `apt-get update && apt-get install --yes --no-install-recommends ${names.join(" ")} && rm -rf /var/lib/apt/lists/*`;
  return [run(line, packages.from)];
}

/** Root certificates of a build image, for run images that have none. */
export const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
