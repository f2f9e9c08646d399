import { PermanentError } from "../../errors.ts";
import { jsonMistake } from "./json-place.ts";

/**
 * What providers read an app's directory through: relative paths, no way out of it, bounded reads. Most apps are a
 * repository of their own; one that is not (`subdirectory: apps/web`) reaches the rest through `root`, e.g. for the
 * lockfile of the workspace that it is a member of.
 */
export interface SourceTree {
  /** The whole repository; the tree itself when it is that. */
  readonly root: SourceTree;
  /** Where this tree lies in `root`: "" or a plain path such as `apps/web`. */
  readonly subdirectory: string;
  /** Text of a regular file (`textOf`); null when it is absent, no file, too large, or a link that leads out. */
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

/** The directories above a file or directory, nearest first, the root last: of `apps/web` that is `apps`, then "". */
export function above(path: string): string[] {
  const parts = path === "" ? [] : path.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join("/"));
}

/** A directory of a tree as a tree of its own. "" is the tree itself. */
export function subtree(tree: SourceTree, directory: string): SourceTree {
  if (directory === "") return tree;
  const inside = async <T>(path: string, otherwise: T, ask: (full: string) => Promise<T>): Promise<T> => {
    const normal = normalisePath(path);
    return normal === null ? otherwise : ask(`${directory}/${normal}`);
  };
  return {
    root: tree.root,
    subdirectory: tree.subdirectory === "" ? directory : `${tree.subdirectory}/${directory}`,
    read: (path) => inside<string | null>(path, null, tree.read),
    has: (path) => inside(path, false, tree.has),
    list: (path) => inside<TreeEntry[]>(path, [], tree.list),
  };
}

/** A file's text in the encoding of its byte order mark, which is no part of it; UTF-8 without one. */
export function textOf(bytes: Uint8Array): string {
  const encoding = { fffe: "utf-16le", feff: "utf-16be" }[Buffer.from(bytes.subarray(0, 2)).toString("hex")];
  return new TextDecoder(encoding ?? "utf-8").decode(bytes);
}

/** A JSON object of the tree; null when absent. Throws PermanentError `nothing_detected`, which names the place, when it does not parse. */
export async function readJson(tree: SourceTree, path: string): Promise<Record<string, unknown> | null> {
  const text = await tree.read(path);
  if (text === null) return null;
  const value = parseJson(text, path);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const place = jsonMistake(text);
    const where = place === null ? "" : `: line ${place.line}, column ${place.column}`;
    throw new PermanentError("nothing_detected", `${path} does not parse`, {
      detail: text.trim() === "" ? `${path} is empty.` : `${path} is not valid JSON${where}.`,
      hint: "Correct the file and deploy again. JSON has no comments, and no comma after the last entry.",
    });
  }
}
