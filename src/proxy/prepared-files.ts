import type { PreparedFile } from "./prepared-file.ts";
import type { FileOfSite } from "./site-file.ts";

/** What an entry costs besides its bytes, about. */
const OVERHEAD = 512;

/**
 * Prepared answers of all sites, bounded by bytes. What was not asked for since the last round makes room first: nearly
 * least-recently-used, at the price of one flag per request.
 */
export class PreparedFiles {
  bytes = 0;
  /** In the order in which they are looked at for making room. */
  private readonly entries = new Set<PreparedFile>();

  constructor(readonly limit: number) {}

  add(entry: PreparedFile): void {
    entry.file.prepared.push(entry);
    this.entries.add(entry);
    this.bytes += entry.bytes.length + OVERHEAD;
    while (this.bytes > this.limit && this.entries.size > 1) this.makeRoom();
  }

  forget(file: FileOfSite): void {
    for (const entry of [...file.prepared]) this.remove(entry);
  }

  private makeRoom(): void {
    for (const entry of this.entries) {
      if (!entry.used) return this.remove(entry);
      entry.used = false;
      this.entries.delete(entry);
      this.entries.add(entry);
    }
  }

  private remove(entry: PreparedFile): void {
    const { prepared } = entry.file;
    const at = prepared.indexOf(entry);
    if (at >= 0) prepared.splice(at, 1);
    if (this.entries.delete(entry)) this.bytes -= entry.bytes.length + OVERHEAD;
  }
}
