import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Headers } from "tar-stream";
import { PermanentError } from "../../errors.ts";
import { checkPath, checkTarget, refused, shown } from "./archive-path.ts";
import { readZip, type ZipEntry } from "./zip.ts";

export interface ArchiveLimits {
  packed_bytes: number;
  unpacked_bytes: number;
  entries: number;
  /** Unpacked to packed; counts above 64 MiB only, as small sources compress far better. */
  ratio: number;
}

/** Both are streams from disk to disk, so that the box's memory does not come into it; its disk does. */
export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  packed_bytes: 2 * 1024 ** 3,
  unpacked_bytes: 4 * 1024 ** 3,
  entries: 100_000,
  ratio: 100,
};

const RATIO_COUNTS_FROM_BYTES = 64 * 1024 * 1024;

export type ArchiveEntry =
  | { type: "file"; path: string; executable: boolean; size: number; content: Readable }
  | { type: "directory"; path: string }
  | { type: "symlink"; path: string; target: string }
  /** The same content as a file that came before. */
  | { type: "link"; path: string; target: string };

/**
 * Reads a tar, tar.gz or zip from disk, one entry after the other, each checked before `take` sees it. Throws
 * PermanentError `archive_refused`; an entry's content that `take` leaves unread is skipped.
 */
export async function readArchive(
  path: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
  take: (entry: ArchiveEntry) => Promise<void>,
): Promise<void> {
  const packed = (await stat(path)).size;
  const count = tally(limits, packed);
  const isNew = distinct();
  const unpack = extract();
  unpack.on("entry", (headers: Headers, content: Readable, next: (error?: unknown) => void) => {
    const done = async () => {
      count(headers.size ?? 0);
      const entry = entryOf(headers, content);
      if (entry !== null) await take(isNew(entry));
      content.resume();
    };
    done().then(() => next(), next);
  });
  const kind = await kindOf(path);
  if (kind === "zip") return readZipArchive(path, count, signal, (entry) => take(isNew(entry)));
  const source = createReadStream(path);
  try {
    if (kind === "gzip") await pipeline(source, createGunzip(), unpack, { signal });
    else await pipeline(source, unpack, { signal });
  } catch (error) {
    throw explained(error);
  }
}

async function readZipArchive(
  path: string,
  count: (bytes: number) => void,
  signal: AbortSignal,
  take: (entry: ArchiveEntry) => Promise<void>,
): Promise<void> {
  try {
    await readZip(path, signal, async (entry) => {
      count(entry.size);
      const unpacked = await zipEntry(entry);
      if (unpacked !== null) await take(unpacked);
    });
  } catch (error) {
    throw error instanceof PermanentError || signal.aborted ? error : unreadable(error);
  }
}

/** A link's target is its content; it is short, or it is refused. */
async function zipEntry({ name, type, executable, size, content }: ZipEntry): Promise<ArchiveEntry | null> {
  const path = checkPath(name);
  if (path === "" || type === "directory") return path === "" ? null : { type: "directory", path };
  if (type === "file") return { type: "file", path, executable, size, content: await content() };
  if (type === "other" || size > 4096)
    throw refused(`${shown(path)} is neither a file nor a directory nor a link`);
  const bytes = await Array.fromAsync((await content()) as AsyncIterable<Buffer>);
  return { type: "symlink", path, target: checkTarget(path, Buffer.concat(bytes).toString("utf8")) };
}

/** The zip library's errors are plain; those of the disk have codes. */
function unreadable(error: unknown): unknown {
  const { code } = error as { code?: string };
  return code === undefined || code.startsWith("Z_")
    ? refused("it is damaged, cut short, or a path in it leads out")
    : error;
}

/** By the first bytes: the name of an upload says nothing. */
async function kindOf(path: string): Promise<"gzip" | "tar" | "zip"> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, 512, 0);
    if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
    if (head.toString("latin1", 0, 4) === "PK\x03\x04") return "zip";
    if (bytesRead === 512 && head.toString("latin1", 257, 262) === "ustar") return "tar";
  } finally {
    await file.close();
  }
  throw refused("it is no tar, tar.gz or zip");
}

function tally(limits: ArchiveLimits, packed: number): (bytes: number) => void {
  let entries = 0;
  let unpacked = 0;
  return (bytes) => {
    entries += 1;
    unpacked += bytes;
    if (entries > limits.entries) throw refused(`it has more than ${limits.entries} entries`);
    if (unpacked > limits.unpacked_bytes)
      throw refused(`it unpacks to more than ${limits.unpacked_bytes} bytes`);
    if (unpacked > RATIO_COUNTS_FROM_BYTES && unpacked > packed * limits.ratio) {
      throw refused(`it unpacks to more than ${limits.ratio} times its size`);
    }
  };
}

/** Two files of one name would be one thing to whoever looks and another to whoever unpacks. */
function distinct(): (entry: ArchiveEntry) => ArchiveEntry {
  const seen = new Set<string>();
  return (entry) => {
    if (entry.type === "directory") return entry;
    if (seen.has(entry.path)) throw refused(`${shown(entry.path)} is in it twice`);
    seen.add(entry.path);
    return entry;
  };
}

/** null for what carries nothing (the root itself, global headers). */
function entryOf({ name, type, mode, size, linkname }: Headers, content: Readable): ArchiveEntry | null {
  const path = checkPath(name);
  if (path === "") return null;
  switch (type) {
    case "file":
    case "contiguous-file":
      return { type: "file", path, executable: ((mode ?? 0) & 0o111) !== 0, size: size ?? 0, content };
    case "directory":
      return { type: "directory", path };
    case "symlink":
      return { type: "symlink", path, target: checkTarget(path, linkname ?? "") };
    case "link":
      return { type: "link", path, target: checkPath(linkname ?? "") };
    case "pax-global-header":
      return null;
    default:
      throw refused(`${shown(path)} is a ${type}; only files, directories and links are taken`);
  }
}

function explained(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (
    /^Z_|ERR_STREAM_PREMATURE/.test(code ?? "") ||
    /^(Invalid tar header|Unexpected end of data)/.test(message ?? "")
  ) {
    return refused("it is damaged or cut short");
  }
  return error;
}
