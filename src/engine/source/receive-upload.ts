import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { DiploError, PermanentError } from "../../errors.ts";
import type { SourceTree } from "../build/tree.ts";
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from "./archive.ts";
import { archiveTree } from "./archive-tree.ts";

export const UPLOAD_ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

export interface UploadFacts {
  upload_id: string;
  /** Whom it was sent for; nobody else may deploy it. */
  owner: string;
  sha256: string;
  size_bytes: number;
}

export interface ReceivedUpload extends UploadFacts {
  /** What providers can see of it. */
  tree: SourceTree;
}

export interface ReceiveOptions {
  /** Directory that keeps archives until they are deployed. */
  uploads: string;
  owner: string;
  limits?: ArchiveLimits;
  signal: AbortSignal;
}

/**
 * Takes an archive from a client, straight to disk: memory stays flat whatever its size. It is read through once,
 * so that a bad one is refused here. Throws `upload_too_large` (413), `archive_refused`, `disk_full`.
 */
export async function receiveUpload(
  stream: ReadableStream<Uint8Array>,
  { uploads, owner, limits = DEFAULT_ARCHIVE_LIMITS, signal }: ReceiveOptions,
): Promise<ReceivedUpload> {
  const upload_id = ulid();
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  const part = join(uploads, `${upload_id}.part`);
  try {
    const { sha256, size_bytes } = await store(stream, part, limits.packed_bytes, signal);
    const tree = await archiveTree(part, limits, signal);
    const facts: UploadFacts = { upload_id, owner, sha256, size_bytes };
    await writeFile(join(uploads, `${upload_id}.json`), JSON.stringify(facts), { mode: 0o600 });
    await rename(part, join(uploads, upload_id));
    return { ...facts, tree };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** What is known of a received archive. Throws `upload_not_found`. */
export async function readUpload(uploads: string, upload_id: string): Promise<UploadFacts> {
  const text = UPLOAD_ID.test(upload_id)
    ? await readFile(join(uploads, `${upload_id}.json`), "utf8").catch(() => null)
    : null;
  if (text !== null) return JSON.parse(text) as UploadFacts;
  throw noSuchUpload();
}

export function noSuchUpload(): PermanentError {
  return new PermanentError("upload_not_found", "no such upload", {
    detail: "The upload does not exist any more, or was sent for another app.",
    hint: "Send it again: diplo deploy DIR",
  });
}

/** Removes uploads that are older than this, and what a crash left half received. */
export async function pruneUploads(uploads: string, maxAgeMs: number): Promise<void> {
  for (const name of await readdir(uploads).catch(() => [])) {
    const path = join(uploads, name);
    if (Date.now() - (await stat(path)).mtimeMs > maxAgeMs) await rm(path, { force: true });
  }
}

async function store(
  stream: ReadableStream<Uint8Array>,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ sha256: string; size_bytes: number }> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  const reader = stream.getReader();
  // Not awaited: a client that is gone need not answer.
  const stop = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  let size_bytes = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size_bytes += part.value.length;
      if (size_bytes > maxBytes) throw tooLarge(maxBytes);
      hash.update(part.value);
      await file.writeFile(part.value);
    }
    signal.throwIfAborted();
    await file.sync();
  } catch (error) {
    stop();
    throw (error as { code?: string }).code === "ENOSPC" ? full(error) : error;
  } finally {
    signal.removeEventListener("abort", stop);
    await file.close();
  }
  return { sha256: hash.digest("hex"), size_bytes };
}

function tooLarge(maxBytes: number): DiploError {
  const megabytes = Math.floor(maxBytes / 1024 / 1024);
  return new DiploError("upload_too_large", `upload larger than ${maxBytes} bytes`, {
    status: 413,
    detail: `The upload is larger than ${megabytes} MiB.`,
    hint: "Name what the app does not need in .gitignore or .dockerignore, or deploy from a git repository.",
  });
}

function full(cause: unknown): DiploError {
  return new DiploError("disk_full", "no space left to receive the upload", {
    status: 507,
    detail: "The disk is full, so the upload could not be received.",
    hint: "Free some space and send it again.",
    cause,
  });
}
