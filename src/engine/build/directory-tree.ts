import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { MAX_READ_BYTES, normalisePath, type SourceTree, type TreeEntry, textOf } from "./tree.ts";

/**
 * The tree of an app's directory on disk, `subdirectory` of the repository in `directory`. Links are followed only
 * while they stay inside the tree: what leads from an app to the rest of its repository is not part of the app.
 */
export async function openDirectoryTree(directory: string, subdirectory = ""): Promise<SourceTree> {
  const top = await realpath(directory);
  const own = await realpath(join(top, subdirectory));
  const root = treeOf(top, null, "");
  return own === top ? root : treeOf(own, root, relative(top, own));
}

function treeOf(top: string, root: SourceTree | null, subdirectory: string): SourceTree {
  async function locate(path: string): Promise<string | null> {
    const inside = normalisePath(path);
    if (inside === null) return null;
    const real = await realpath(join(top, inside)).catch(() => null);
    return real !== null && (real === top || real.startsWith(top + sep)) ? real : null;
  }

  return {
    get root() {
      return root ?? this;
    },
    subdirectory,
    async read(path) {
      const real = await locate(path);
      if (real === null) return null;
      const facts = await stat(real);
      return facts.isFile() && facts.size <= MAX_READ_BYTES ? textOf(await readFile(real)) : null;
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
