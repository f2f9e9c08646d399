import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { MAX_READ_BYTES, normalisePath, type SourceTree, type TreeEntry } from "./tree.ts";

/** The tree of a directory on disk. Links are followed only while they stay inside it. */
export async function openDirectoryTree(directory: string): Promise<SourceTree> {
  const root = await realpath(directory);

  async function locate(path: string): Promise<string | null> {
    const inside = normalisePath(path);
    if (inside === null) return null;
    const real = await realpath(join(root, inside)).catch(() => null);
    return real !== null && (real === root || real.startsWith(root + sep)) ? real : null;
  }

  return {
    async read(path) {
      const real = await locate(path);
      if (real === null) return null;
      const facts = await stat(real);
      return facts.isFile() && facts.size <= MAX_READ_BYTES ? readFile(real, "utf8") : null;
    },
    async has(path) {
      return (await locate(path)) !== null;
    },
    async list(path) {
      const real = await locate(path);
      if (real === null || !(await stat(real)).isDirectory()) return [];
      const entries = await readdir(real, { withFileTypes: true });
      return entries
        .map((entry): TreeEntry => ({ name: entry.name, directory: entry.isDirectory() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}
