import { closeSync, existsSync, fstatSync, mkdirSync, openSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";

/** A build that prints for ever must not fill the disk. */
const MAX_BYTES = 10 * 1024 * 1024;
const FLUSH_MS = 50;

/**
 * The log of one job: an append-only text file, so that a reader can go on from a byte offset. Lines are gathered
 * for a moment and written together; `flush()` before anything is reported finished.
 */
export class JobLog {
  private descriptor: number | null = null;
  private size = 0;
  private full = false;
  private pending: string[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly path: string,
    private readonly appended: () => void = () => {},
  ) {}

  /** One line; line breaks and control characters of foreign output are kept out of the way. */
  line(text: string): void {
    this.pending.push(`${text.replace(/\r?\n|\r/g, "\n").replace(/\n+$/, "")}\n`);
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.pending.length === 0) return;
    const text = this.pending.join("");
    this.pending = [];
    if (this.full) return;
    this.descriptor ??= this.open();
    const room = MAX_BYTES - this.size;
    const bytes = Buffer.from(text);
    this.full = bytes.length > room;
    const kept = this.full
      ? Buffer.concat([bytes.subarray(0, Math.max(0, bytes.lastIndexOf(10, room) + 1)), NOTICE])
      : bytes;
    for (let at = 0; at < kept.length; ) at += writeSync(this.descriptor, kept, at, kept.length - at);
    this.size += kept.length;
    this.appended();
  }

  /** Text from a byte offset on, whole lines only unless the log has ended; `next` is where to go on. */
  async read(from: number, max = 256 * 1024): Promise<{ text: string; next: number }> {
    if (!existsSync(this.path)) return { text: "", next: from };
    const file = await open(this.path, "r");
    try {
      const buffer = Buffer.alloc(max);
      const { bytesRead } = await file.read(buffer, 0, max, from);
      const end = buffer.lastIndexOf(10, bytesRead - 1) + 1 || bytesRead;
      return {
        text: buffer.subarray(0, Math.min(end, bytesRead)).toString("utf8"),
        next: from + Math.min(end, bytesRead),
      };
    } finally {
      await file.close();
    }
  }

  close(): void {
    this.flush();
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }

  private open(): number {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o750 });
    const descriptor = openSync(this.path, "a", 0o640);
    this.size = fstatSync(descriptor).size;
    this.full = this.size >= MAX_BYTES;
    return descriptor;
  }
}

const NOTICE = Buffer.from("… the rest of the output is left out: the log is full (10 MB)\n");
