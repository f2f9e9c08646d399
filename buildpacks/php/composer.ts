import { readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import type { VersionWish } from "../runtime-versions.ts";
import { tableOf } from "../tables.ts";

/** What composer.json says. */
export interface Composer {
  requires: Set<string>;
  /** Extensions that it and its locked packages ask for, without `ext-`. */
  extensions: string[];
  locked: boolean;
  /** Packages come from directories of the tree (repositories of type path). */
  needsTree: boolean;
  wish: VersionWish | null;
}

/** Reads composer.json and composer.lock; null without the former. Throws what `readJson` throws. */
export async function readComposer(tree: SourceTree): Promise<Composer | null> {
  const manifest = await readJson(tree, "composer.json");
  if (manifest === null) return null;
  const lock = await readJson(tree, "composer.lock");
  const requires = namesOf(manifest.require);
  const packages = Array.isArray(lock?.packages) ? lock.packages : [];
  const all = [requires, ...packages.map((item) => namesOf(tableOf(item).require))].flatMap((names) => [
    ...names,
  ]);
  const extensions = all.filter((name) => /^ext-[a-z0-9_]+$/.test(name)).map((name) => name.slice(4));
  const stated = tableOf(manifest.require).php;
  return {
    requires,
    extensions: [...new Set(extensions)].sort(),
    locked: lock !== null,
    needsTree: /"type"\s*:\s*"path"/.test((await tree.read("composer.json")) ?? ""),
    wish:
      typeof stated === "string" ? { range: toRange(stated), from: `php ${stated} in composer.json` } : null,
  };
}

/** Composer's `|` and `,` in npm's syntax, and full versions where it takes short ones. */
function toRange(constraint: string): string {
  return constraint
    .split(/\s*\|\|?\s*/)
    .map((part) =>
      part
        .replaceAll(",", " ")
        .replace(/\.\*/g, ".x")
        .replace(/(^|[\s^~<>=])(\d+\.\d+)(?=$|\s)/g, "$1$2.0"),
    )
    .map((part) => part.replace(/^~(\d+)\.(\d+)\.0$/, ">=$1.$2.0 <$1.99.99"))
    .join(" || ");
}

function namesOf(value: unknown): Set<string> {
  return new Set(Object.keys(tableOf(value)));
}
