import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Headers } from "tar-stream";
import { checkPath } from "../source/archive-path.ts";
import type { SiteEntry, SiteSource } from "./site-source.ts";

/** The files of a tar as an engine streams it, below its one top directory. Throws `archive_refused`. */
export function tarSource(tar: Readable): SiteSource {
  return async (take) => {
    const unpack = extract();
    let content = new PassThrough();
    let taking: Promise<void> = Promise.resolve();
    unpack.on("entry", (headers: Headers, packed: Readable, next: (error?: unknown) => void) => {
      // Its own streams do not tell a reader that the tar was cut.
      content = packed.pipe(new PassThrough());
      taking = takeEntry(headers, content, take);
      taking.then(() => next(), next);
    });
    try {
      await pipeline(tar, unpack);
    } catch (error) {
      content.on("error", () => {});
      content.destroy(error as Error);
      // What was being taken notices a moment later.
      await taking.catch(() => {});
      throw error;
    }
  };
}

async function takeEntry(
  headers: Headers,
  content: Readable,
  take: Parameters<SiteSource>[0],
): Promise<void> {
  const entry = siteEntry(headers, content);
  if (entry) await take(entry);
  content.resume();
}

function siteEntry({ name, type, linkname }: Headers, content: Readable): SiteEntry | null {
  const path = belowTop(name);
  switch (type) {
    case "file":
    case "contiguous-file":
      return path === "" ? null : { type: "file", path, content };
    case "symlink":
      return { type: "link", path, target: linkname ?? "" };
    case "link":
      // The same content as an earlier entry, named from the root, unlike a symlink's target.
      return { type: "link", path, target: fromRoot(path, belowTop(linkname ?? "")) };
    case "directory":
    case "pax-global-header":
      return null;
    default:
      return { type: "other", path };
  }
}

function belowTop(name: string): string {
  return checkPath(name).split("/").slice(1).join("/");
}

function fromRoot(path: string, target: string): string {
  return "../".repeat(path.split("/").length - 1) + target;
}
