import type { Readable } from "node:stream";
import { type Entry, open, type ZipFile } from "yauzl";

/** One entry of a zip, as its central directory has it. */
export interface ZipEntry {
  name: string;
  type: "file" | "directory" | "symlink" | "other";
  executable: boolean;
  size: number;
  /** Unpacked bytes; fails when they are not as many as promised. */
  content(): Promise<Readable>;
}

const TYPE_BITS = 0o170000;

/** Reads a zip's entries one after the other (APPNOTE 6.3). The library refuses names that lead out. */
export async function readZip(
  path: string,
  signal: AbortSignal,
  take: (entry: ZipEntry) => Promise<void>,
): Promise<void> {
  const zip = await openZip(path);
  try {
    await new Promise<void>((resolve, reject) => {
      zip.once("error", reject).once("end", resolve);
      zip.on("entry", (entry: Entry) => {
        if (signal.aborted) return reject(signal.reason);
        take(entryOf(zip, entry)).then(() => zip.readEntry(), reject);
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: true };
    open(path, options, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

/** The upper half of the attributes is the Unix mode where the zip was made on one (host 3). */
function entryOf(zip: ZipFile, entry: Entry): ZipEntry {
  const mode = entry.versionMadeBy >>> 8 === 3 ? entry.externalFileAttributes >>> 16 : 0;
  const kind = mode & TYPE_BITS;
  const isDirectory = entry.fileName.endsWith("/") || kind === 0o040000;
  const type = isDirectory
    ? "directory"
    : kind === 0o120000
      ? "symlink"
      : kind === 0 || kind === 0o100000
        ? "file"
        : "other";
  return {
    name: entry.fileName,
    type,
    executable: (mode & 0o111) !== 0,
    size: entry.uncompressedSize,
    content: () =>
      new Promise((resolve, reject) => {
        zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
      }),
  };
}
