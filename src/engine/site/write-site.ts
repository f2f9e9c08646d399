import { link, rename } from "node:fs/promises";
import { join } from "node:path";
import { PermanentError } from "../../errors.ts";
import type { SiteFile, SiteManifest } from "../../proxy/protocol.ts";
import { mapLimited } from "../runtime/docker/map-limited.ts";
import { type Coding, effortFor, isWorthTrying, SUFFIX, writeVariants } from "./compress.ts";
import { fileType } from "./file-type.ts";
import { followLinks, type SiteLink } from "./links.ts";
import { type SiteOptions, siteRules } from "./site-rules.ts";
import type { SiteSource } from "./site-source.ts";
import { writeNewFile } from "./write-file.ts";

export interface SiteContent {
  source: SiteSource;
  options: SiteOptions;
  /** Last-Modified of every file, in ms. */
  modifiedAt: number;
}

export interface WriteOptions {
  /** Directory and manifest of a site that may hold some of the files already. */
  known: { directory: string; manifest: SiteManifest } | null;
  signal: AbortSignal;
}

export interface WrittenSite {
  manifest: SiteManifest;
  /** What a person should know. */
  warnings: string[];
}

/** A manifest is held in memory by every worker of the proxy. */
const MAX_FILES = 100_000;
const MAX_BYTES = 8 * 1024 ** 3;
const MAX_RULES_BYTES = 512 * 1024;
/** Waiting for the disk and compressing overlap; more than a few gain nothing on small boxes. */
const AT_ONCE = 4;

/**
 * Writes every file of a source and its compressed variants into an empty directory, named by their content. What an
 * earlier site has already is linked, not written again. Answers the manifest and what a person should know. Throws
 * `site_empty`, `site_too_large`.
 */
export async function writeSite(
  directory: string,
  { source, options, modifiedAt }: SiteContent,
  { known, signal }: WriteOptions,
): Promise<WrittenSite> {
  const read = await readSource(directory, source, signal);
  const lost = followLinks(read.files, read.links, MAX_FILES);
  if (read.files.size === 0) throw siteEmpty();
  const variants = await allVariants(directory, read.files, known, signal);
  const files: SiteManifest["files"] = {};
  for (const path of [...read.files.keys()].sort()) {
    const blob = read.files.get(path) as Blob;
    files[`/${path}`] = {
      sha256: blob.sha256,
      size: blob.size,
      type: fileType(path),
      modified_at: modifiedAt,
      variants: variants.get(blob.sha256) ?? {},
    };
  }
  const { rules, warnings } = siteRules(options, read, (path) => Object.hasOwn(files, path));
  return {
    manifest: { version: 1, files, ...rules },
    warnings: [...lost.map(lostWarning), ...read.warnings, ...warnings],
  };
}

interface Blob {
  sha256: string;
  size: number;
}

interface Read {
  files: Map<string, Blob>;
  links: SiteLink[];
  warnings: string[];
  /** Texts of `_headers` and `_redirects`. */
  headers: string;
  redirects: string;
}

async function readSource(directory: string, source: SiteSource, signal: AbortSignal): Promise<Read> {
  const read: Read = { files: new Map(), links: [], warnings: [], headers: "", redirects: "" };
  let bytes = 0;
  await source(async (entry) => {
    signal.throwIfAborted();
    if (isHidden(entry.path)) return;
    if (entry.type === "other") read.warnings.push(`${entry.path} is no file; it is not served`);
    else if (entry.type === "link") read.links.push(entry);
    else if (entry.path === "_headers") read.headers = await textOf(entry.content);
    else if (entry.path === "_redirects") read.redirects = await textOf(entry.content);
    else {
      const blob = await takeIn(directory, entry.content);
      read.files.set(entry.path, blob);
      bytes += blob.size;
    }
    if (read.files.size + read.links.length > MAX_FILES || bytes > MAX_BYTES) throw siteTooLarge();
  });
  return read;
}

/** `.git`, `.env` and the like are nobody's business; `.well-known` is made to be asked for (RFC 8615). */
function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") && part !== ".well-known");
}

async function takeIn(directory: string, content: AsyncIterable<Uint8Array>): Promise<Blob> {
  const temporary = join(directory, "incoming");
  const blob = await writeNewFile(temporary, content);
  // The same content again: the rename puts equal bytes in place of equal bytes.
  await rename(temporary, join(directory, blob.sha256));
  return blob;
}

/** Variants by the hash of their file; a file of two names, one of a type worth compressing, has them under both. */
async function allVariants(
  directory: string,
  files: Map<string, Blob>,
  known: WriteOptions["known"],
  signal: AbortSignal,
): Promise<Map<string, SiteFile["variants"]>> {
  const made = new Map<string, SiteFile["variants"]>();
  const worth = new Map<string, Blob>();
  for (const [path, blob] of files)
    if (isWorthTrying({ size: blob.size, type: fileType(path) })) worth.set(blob.sha256, blob);
  for (const old of Object.values(known?.manifest.files ?? {}))
    if (
      known &&
      worth.has(old.sha256) &&
      isWorthTrying(old) &&
      (await linkVariants(known.directory, directory, old))
    ) {
      made.set(old.sha256, old.variants);
      worth.delete(old.sha256);
    }
  const blobs = [...worth.values()];
  const effort = effortFor(blobs.reduce((sum, { size }) => sum + size, 0));
  await mapLimited(
    blobs,
    async ({ sha256, size }) => {
      made.set(sha256, await writeVariants(join(directory, sha256), size, effort, signal));
    },
    AT_ONCE,
  );
  return made;
}

/** Takes an earlier site's variants over, without a second copy. False when they are not all there. */
async function linkVariants(from: string, to: string, { sha256, variants }: SiteFile): Promise<boolean> {
  try {
    for (const coding of Object.keys(variants) as Coding[])
      await link(join(from, sha256 + SUFFIX[coding]), join(to, sha256 + SUFFIX[coding]));
    return true;
  } catch {
    return false;
  }
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of content) {
    size += piece.length;
    if (size > MAX_RULES_BYTES) throw siteTooLarge();
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function lostWarning({ path, target }: SiteLink): string {
  return `${path} is a link to ${target}, which is no file of the site; it is not served`;
}

function siteEmpty(): PermanentError {
  return new PermanentError("site_empty", "the site has no files", {
    detail: "There is not one file to serve: the directory of the site is empty.",
    hint: "Look at where the build writes its files, and say so: diplo apps:set --static.root dist",
  });
}

function siteTooLarge(): PermanentError {
  return new PermanentError("site_too_large", "the site is too large", {
    detail: `A site holds at most ${MAX_FILES} files and ${MAX_BYTES / 1024 ** 3} GiB, its _headers and _redirects half a megabyte.`,
    hint: "Serve large collections from a container with a volume: diplo apps:set --static.serve container",
  });
}
