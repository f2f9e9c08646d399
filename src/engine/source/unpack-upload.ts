import { createWriteStream } from "node:fs";
import { copyFile, lstat, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DiploError } from "../../errors.ts";
import { type ArchiveEntry, DEFAULT_ARCHIVE_LIMITS, readArchive } from "./archive.ts";
import { refused } from "./archive-path.ts";
import { readUpload } from "./receive-upload.ts";

export interface UnpackOptions {
  uploads: string;
  /** Empty. */
  directory: string;
  signal: AbortSignal;
}

/**
 * Unpacks a received archive. Nothing is written outside the directory, no entry gets more rights than 0755, and
 * links are made last, so that none is ever written through. Throws `upload_not_found`, `archive_refused`,
 * `disk_full`.
 */
export async function unpackUpload(
  upload_id: string,
  options: UnpackOptions,
): Promise<{ archive_sha256: string }> {
  const { uploads, directory, signal } = options;
  const facts = await readUpload(uploads, upload_id);
  const links: Extract<ArchiveEntry, { type: "symlink" }>[] = [];
  try {
    await readArchive(join(uploads, upload_id), DEFAULT_ARCHIVE_LIMITS, signal, async (entry) => {
      if (entry.type === "symlink") links.push(entry);
      else await write(directory, entry, signal);
    });
    for (const link of links) await place(directory, link);
  } catch (error) {
    throw explained(error);
  }
  return { archive_sha256: facts.sha256 };
}

async function write(
  directory: string,
  entry: Exclude<ArchiveEntry, { type: "symlink" }>,
  signal: AbortSignal,
): Promise<void> {
  const path = join(directory, entry.path);
  if (entry.type === "directory") {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  if (entry.type === "link") {
    const target = join(directory, entry.target);
    if (!(await lstat(target).catch(() => null))?.isFile())
      throw refused(`the link ${JSON.stringify(entry.path)} has no file`);
    await copyFile(target, path);
    return;
  }
  await pipeline(entry.content, createWriteStream(path, { mode: entry.executable ? 0o755 : 0o644 }), {
    signal,
  });
}

async function place(directory: string, { path, target }: { path: string; target: string }): Promise<void> {
  const place = join(directory, path);
  await mkdir(dirname(place), { recursive: true, mode: 0o755 });
  await symlink(target, place);
}

function explained(error: unknown): unknown {
  const code = (error as { code?: string }).code ?? "";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new DiploError("disk_full", "no space left to unpack the upload", {
      detail: "The disk is full, so the upload could not be unpacked.",
      hint: "Free some space and deploy again.",
      cause: error,
    });
  }
  if (["EEXIST", "EISDIR", "ENOTDIR"].includes(code)) return refused("two of its entries have the same path");
  return error;
}
