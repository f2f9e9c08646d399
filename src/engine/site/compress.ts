import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliCompress, createGzip, createZstdCompress } from "node:zlib";
import type { SiteFile } from "../../proxy/protocol.ts";
import { isCompressible } from "./file-type.ts";
import { writeNewFile } from "./write-file.ts";

export type Coding = keyof SiteFile["variants"];

/** What a coding's variant is named by, after its file's hash. */
export const SUFFIX: Record<Coding, string> = { br: ".br", gzip: ".gz", zstd: ".zst" };

/** Below this an answer fits one packet either way. */
const MIN_BYTES = 512;
/** Worth a file of its own, and the client's work. */
const MAX_SHARE = 0.95;

/** Levels of the codings; the harder ones only where all there is to compress takes about a second. */
type Effort = Record<Coding, number>;

const EFFORTS: { upToBytes: number; levels: Effort }[] = [
  { upToBytes: 256 * 1024, levels: { br: 11, gzip: 9, zstd: 19 } },
  { upToBytes: 1024 * 1024, levels: { br: 10, gzip: 9, zstd: 15 } },
  { upToBytes: 64 * 1024 * 1024, levels: { br: 9, gzip: 9, zstd: 12 } },
  { upToBytes: Number.POSITIVE_INFINITY, levels: { br: 5, gzip: 6, zstd: 6 } },
];

/** How hard to try: brotli at 11 takes 2 s for a megabyte, at 9 a twentieth of that for files 10 % larger. */
export function effortFor(totalBytes: number): Effort {
  return (EFFORTS.find(({ upToBytes }) => totalBytes <= upToBytes) as (typeof EFFORTS)[number]).levels;
}

export function isWorthTrying({ size, type }: { size: number; type: string }): boolean {
  return size >= MIN_BYTES && isCompressible(type);
}

/** Sizes of the variants that are worth it, written beside the file. Compression runs on the thread pool. */
export async function writeVariants(
  path: string,
  size: number,
  effort: Effort,
  signal: AbortSignal,
): Promise<SiteFile["variants"]> {
  const variants: SiteFile["variants"] = {};
  for (const coding of Object.keys(SUFFIX) as Coding[]) {
    const target = path + SUFFIX[coding];
    const written = await compress(path, target, compressor(coding, effort[coding], size), signal);
    if (written <= size * MAX_SHARE) variants[coding] = written;
    else await rm(target, { force: true });
  }
  return variants;
}

async function compress(
  path: string,
  target: string,
  through: Transform,
  signal: AbortSignal,
): Promise<number> {
  // What an earlier site had begun to lend.
  await rm(target, { force: true });
  let size = 0;
  const write = async (pieces: AsyncIterable<Uint8Array>) => {
    ({ size } = await writeNewFile(target, pieces));
  };
  await pipeline(createReadStream(path), through, write, { signal });
  return size;
}

function compressor(coding: Coding, level: number, size: number): Transform {
  switch (coding) {
    case "br":
      return createBrotliCompress({
        params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_SIZE_HINT]: size },
      });
    case "gzip":
      return createGzip({ level });
    case "zstd":
      // RFC 9659: a window above 8 MB is not for the web; level 19 stays at it.
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  }
}
