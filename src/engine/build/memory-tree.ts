import { normalisePath, type SourceTree, type TreeEntry } from "./tree.ts";

/** A tree of path → text, for tests and for looking at a repository that is not on disk. */
export function memoryTree(files: Record<string, string>): SourceTree {
  const paths = new Map(Object.entries(files).map(([path, text]) => [normalisePath(path) ?? path, text]));
  const inside = (directory: string) => (directory === "" ? "" : `${directory}/`);

  function entriesOf(directory: string): Map<string, TreeEntry> {
    const entries = new Map<string, TreeEntry>();
    for (const path of paths.keys()) {
      if (!path.startsWith(inside(directory))) continue;
      const [name = "", ...rest] = path.slice(inside(directory).length).split("/");
      entries.set(name, { name, directory: rest.length > 0 });
    }
    return entries;
  }

  return {
    get root() {
      return this;
    },
    subdirectory: "",
    async read(path) {
      return paths.get(normalisePath(path) ?? "\0") ?? null;
    },
    async has(path) {
      const wanted = normalisePath(path);
      return wanted !== null && (paths.has(wanted) || entriesOf(wanted).size > 0);
    },
    async list(path) {
      const wanted = normalisePath(path);
      if (wanted === null) return [];
      return [...entriesOf(wanted).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}
