import { memoryTree } from "../build/memory-tree.ts";
import { type SourceTree, textOf } from "../build/tree.ts";
import { type ArchiveLimits, readArchive } from "./archive.ts";

/** Manifests are smaller and near the top; other files count by name only. */
const MAX_TEXT_BYTES = 256 * 1024;
const MAX_TEXT_DEPTH = 3;
const MAX_TEXTS_BYTES = 8 * 1024 * 1024;

/** Reads an archive through, checking every entry, and answers what providers can see of it, unpacking nothing. */
export async function archiveTree(
  path: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<SourceTree> {
  const files: Record<string, string> = {};
  let kept = 0;
  await readArchive(path, limits, signal, async (entry) => {
    if (entry.type !== "file") return;
    const worth = entry.size <= MAX_TEXT_BYTES && entry.path.split("/").length <= MAX_TEXT_DEPTH;
    if (!worth || kept + entry.size > MAX_TEXTS_BYTES) {
      files[entry.path] = "";
      return;
    }
    kept += entry.size;
    const pieces = await Array.fromAsync(entry.content as AsyncIterable<Buffer>);
    files[entry.path] = textOf(Buffer.concat(pieces));
  });
  return memoryTree(files);
}
