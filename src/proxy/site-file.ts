import type { Coding } from "./content-coding.ts";
import type { PreparedFile } from "./prepared-file.ts";
import type { SiteFile } from "./protocol.ts";

const SUFFIX = ["", ".br", ".zst", ".gz"] as const;
const ETAG_SUFFIX = ["", "-br", "-zstd", "-gzip"] as const;

/** One file of a loaded static release. Small: a box may have many. */
export class FileOfSite {
  /** Answers made ready and still in memory. */
  readonly prepared: PreparedFile[] = [];
  readonly type: string;
  /** Whole seconds, as HTTP's dates know them; milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly cacheControl: string;
  /** Bytes by Coding; -1 where there is no such variant. */
  readonly sizes: readonly number[];
  private readonly sha256: string;

  constructor(file: SiteFile, cacheControl: string) {
    const { br = -1, zstd = -1, gzip = -1 } = file.variants;
    this.sizes = [file.size, br, zstd, gzip];
    this.type = file.type;
    this.modifiedAt = Math.floor(file.modified_at / 1000) * 1000;
    this.cacheControl = cacheControl;
    this.sha256 = file.sha256;
  }

  get hasVariants(): boolean {
    const [, br, zstd, gzip] = this.sizes;
    return br! >= 0 || zstd! >= 0 || gzip! >= 0;
  }

  /** Name of the file on disk. */
  blob(coding: Coding): string {
    return this.sha256 + SUFFIX[coding];
  }

  /** Strong: the size stands for the encoder, should another one make other bytes of the same content. */
  etag(coding: Coding): string {
    const variant = coding === 0 ? "" : `${ETAG_SUFFIX[coding]}${this.sizes[coding]}`;
    return `"${this.sha256.slice(0, 24)}${variant}"`;
  }
}
