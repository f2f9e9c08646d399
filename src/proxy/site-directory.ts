import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Name of the directory in the proxy's own that holds one directory for each static release. */
export const SITES = "sites";

/**
 * The directory of one static release. Only regular files right inside it are opened, whatever was planted there: no
 * link is followed, the directory itself included, and nothing waits for the other end of a pipe.
 */
export class SiteDirectory {
  private readonly path: string;

  constructor(sites: string, site: string) {
    this.path = join(sites, site);
  }

  /** A descriptor that the caller closes. Throws when it is missing, no regular file, or not of that size in bytes. */
  open(name: string, size?: number): number {
    const directory = openSync(this.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    let fd: number;
    try {
      // openat(2), as there is no call for it.
      fd = openSync(`/proc/self/fd/${directory}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } finally {
      closeSync(directory);
    }
    const stat = fstatSync(fd);
    if (stat.isFile() && (size === undefined || stat.size === size)) return fd;
    closeSync(fd);
    throw new Error(stat.isFile() ? `${stat.size} bytes instead of ${size}` : "not a regular file");
  }

  /** Fills `into` with the file's content, which has exactly that size. Throws as `open`. */
  readInto(name: string, into: Buffer): void {
    const fd = this.open(name, into.length);
    try {
      readFully(fd, into, 0);
    } finally {
      closeSync(fd);
    }
  }

  /** The whole file. Throws as `open`, or when it has more than `limit` bytes. */
  read(name: string, limit: number): Buffer {
    const fd = this.open(name);
    try {
      const { size } = fstatSync(fd);
      if (size > limit) throw new Error(`more than ${limit} bytes`);
      const bytes = Buffer.allocUnsafeSlow(size);
      readFully(fd, bytes, 0);
      return bytes;
    } finally {
      closeSync(fd);
    }
  }
}

/** Reads from `position` of the file until `into` is full. Throws when the file ends before. */
export function readFully(fd: number, into: Uint8Array, position: number): void {
  let at = 0;
  while (at < into.length) {
    const count = readSync(fd, into, at, into.length - at, position + at);
    if (count === 0) throw new Error("the file is shorter than it was");
    at += count;
  }
}
