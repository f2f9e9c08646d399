import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Also the size of BuildKit's own packets. It must stay below 64 KB: a gRPC client that sees larger messages raises
 * its window in the middle of a stream (SETTINGS), which Bun 1.4 does not always credit, and both sides wait for ever.
 */
const CHUNK_BYTES = 32 * 1024;
const O_RDONLY_NOFOLLOW = constants.O_RDONLY | constants.O_NOFOLLOW;

/** One file, directory or symlink of a build context. */
export interface ContextEntry {
  /** Relative, `/`-separated. */
  path: string;
  type: "file" | "directory" | "symlink";
  /** Permission bits, with set-id and sticky bits. */
  mode: number;
  size: number;
  /** Nanoseconds since 1970: by size and time BuildKit tells whether it has a file already. */
  mtimeNs: bigint;
  linkname: string;
}

/** What of a tree belongs to the context. */
export interface ContextFilter {
  includes(path: string): boolean;
  /** Whether something below a directory may be included, itself included or not. */
  enters(directory: string): boolean;
}

/**
 * Entries of a tree that the filter lets through, sorted by their bytes, each directory before what it holds.
 * Symlinks are entries of their own and never followed; sockets, pipes and devices are left out.
 */
export async function* contextTree(root: string, filter: ContextFilter): AsyncGenerator<ContextEntry> {
  const told = new Set<string>([""]);
  for await (const path of walk(root, "", filter)) {
    // A directory that is not included itself still comes before an included file in it.
    for (const parent of parents(path)) {
      if (told.has(parent)) continue;
      told.add(parent);
      const entry = await contextEntry(root, parent);
      if (entry) yield entry;
    }
    const entry = await contextEntry(root, path);
    if (entry?.type === "directory") told.add(path);
    if (entry) yield entry;
  }
}

/** Content of a file in pieces, exactly `size` bytes: one that grew meanwhile is cut, one that shrank is filled up. */
export async function* contextFile(root: string, entry: ContextEntry): AsyncGenerator<Uint8Array> {
  // O_NOFOLLOW: should the file have become a link since it was looked at, it is not opened.
  const file = await open(join(root, entry.path), O_RDONLY_NOFOLLOW);
  try {
    for (let left = entry.size; left > 0; ) {
      const buffer = new Uint8Array(Math.min(left, CHUNK_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      const piece = bytesRead === 0 ? buffer : buffer.subarray(0, bytesRead);
      yield piece;
      left -= piece.length;
    }
  } finally {
    await file.close();
  }
}

async function* walk(root: string, prefix: string, filter: ContextFilter): AsyncGenerator<string> {
  const entries = await readdir(join(root, prefix), { withFileTypes: true });
  entries.sort((a, b) => compareBytes(a.name, b.name));
  for (const entry of entries) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (filter.includes(path)) yield path;
    if (entry.isDirectory() && filter.enters(path)) yield* walk(root, path, filter);
  }
}

/** null for what a context cannot hold, or what vanished meanwhile. */
async function contextEntry(root: string, path: string): Promise<ContextEntry | null> {
  const full = join(root, path);
  const facts = await lstat(full, { bigint: true }).catch(() => null);
  if (!facts) return null;
  const mode = Number(facts.mode) & 0o7777;
  const entry = { path, mode, size: 0, mtimeNs: facts.mtimeNs, linkname: "" };
  if (facts.isDirectory()) return { ...entry, type: "directory" };
  if (facts.isFile()) return { ...entry, type: "file", size: Number(facts.size) };
  if (facts.isSymbolicLink()) return { ...entry, type: "symlink", linkname: await readlink(full) };
  return null;
}

function parents(path: string): string[] {
  const found: string[] = [];
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) found.unshift(parent);
  return found;
}

// BuildKit checks the order of bytes; JavaScript compares UTF-16 units, which differ beyond U+D7FF.
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
