/** What providers read a repository through: relative paths, no way out of the root, bounded reads. */
export interface SourceTree {
  /** Text of a regular file; null when it is absent, no file, too large, or a link that leads out. */
  read(path: string): Promise<string | null>;
  /** Whether a file or directory of that name exists inside the tree. */
  has(path: string): Promise<boolean>;
  /** Entries of a directory in name order; empty when it is none. */
  list(path: string): Promise<TreeEntry[]>;
}

export interface TreeEntry {
  name: string;
  directory: boolean;
}

/** Larger files tell a provider nothing: manifests are small, lockfiles are looked at by their head. */
export const MAX_READ_BYTES = 4 * 1024 * 1024;

/** A path inside a tree in one spelling, or null when it is absolute or leads out. */
export function normalisePath(path: string): string | null {
  if (path.startsWith("/") || path.includes("\0")) return null;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else parts.push(part);
  }
  return parts.join("/");
}

/** The first of these paths that exists. */
export async function firstOf(tree: SourceTree, paths: string[]): Promise<string | null> {
  for (const path of paths) if (await tree.has(path)) return path;
  return null;
}

/** A directory of a tree as a tree of its own. */
export function subtree(tree: SourceTree, directory: string): SourceTree {
  const inside = async <T>(path: string, otherwise: T, ask: (full: string) => Promise<T>): Promise<T> => {
    const normal = normalisePath(path);
    return normal === null ? otherwise : ask(`${directory}/${normal}`);
  };
  return {
    read: (path) => inside<string | null>(path, null, tree.read),
    has: (path) => inside(path, false, tree.has),
    list: (path) => inside<TreeEntry[]>(path, [], tree.list),
  };
}

/** A JSON object of the tree; null when absent. Throws a plain sentence when it does not parse. */
export async function readJson(tree: SourceTree, path: string): Promise<Record<string, unknown> | null> {
  const text = await tree.read(path);
  if (text === null) return null;
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}
