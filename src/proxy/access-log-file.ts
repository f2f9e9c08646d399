import { close, constants, fchmod, fstatSync, open, renameSync, statSync, write } from "node:fs";
import { promisify } from "node:util";
import { terse } from "../errors.ts";
import type { Log } from "../log.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Libc } from "./libc.ts";
import { ACCESS_LOG_FILES } from "./protocol.ts";

const openFile = promisify(open);
const closeFile = promisify(close);
const changeMode = promisify(fchmod);

/** As large, and with ACCESS_LOG_FILES as many, as the engine keeps of an app's own output. */
const FILE_BYTES = 10 * 1024 * 1024;
const FLUSH_BYTES = 128 * 1024;
/** Lines that wait for a slow disk; more are dropped and counted. */
const WAITING_BYTES = 2 * 1024 * 1024;
const FIRST_BYTES = 4 * 1024;
const LOCK_EX_NB = 2 | 4;
const MODE = 0o640;

export interface AccessLogFileOptions {
  path: string;
  log: Log;
  libc: Libc;
  /** Lines wait as long for others to be written with. */
  flushMs: number;
}

/**
 * One access log on disk. Lines are gathered and appended together, whole, so that several workers can share the file;
 * nobody ever waits for it. What cannot be written is counted and told in the proxy's own log.
 */
export class AccessLogFile {
  dropped = 0;
  private waiting = new ByteWriter(FIRST_BYTES);
  /** Space of what was written last, for what comes next. */
  private spare: ByteWriter | undefined;
  private lines = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private writing: Promise<void> | undefined;
  private fd: number | undefined;
  /** The last write ended within a line. */
  private torn = false;
  private troubled = false;

  constructor(private readonly options: AccessLogFileOptions) {}

  /** Takes what `write` appends: a line of ASCII with its end. */
  add(write: (out: ByteWriter) => void): void {
    if (this.waiting.length > WAITING_BYTES) {
      this.dropped++;
      return;
    }
    write(this.waiting);
    this.lines++;
    if (this.waiting.length >= FLUSH_BYTES) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.options.flushMs);
  }

  /** Resolves when everything given so far is written or dropped, and the file is closed. */
  async close(): Promise<void> {
    while (this.writing !== undefined || this.lines > 0) {
      this.flush();
      await this.writing;
    }
    clearTimeout(this.timer);
    await this.release();
  }

  private flush(): void {
    if (this.writing !== undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { lines, waiting } = this;
    this.waiting = (lines > 0 ? this.spare : undefined) ?? new ByteWriter(FIRST_BYTES);
    this.spare = undefined;
    this.lines = 0;
    this.writing = (lines > 0 ? this.append(waiting.view(), lines) : this.release()).finally(() => {
      this.writing = undefined;
      waiting.reset();
      if (lines > 0) this.spare = waiting;
      // Came meanwhile; and a file without news is closed at the next turn.
      if (this.waiting.length >= FLUSH_BYTES) this.flush();
      else if (this.lines > 0 || this.fd !== undefined)
        this.timer ??= setTimeout(() => this.flush(), this.options.flushMs);
    });
  }

  private async append(lines: Buffer, count: number): Promise<void> {
    const bytes = this.torn ? Buffer.concat([LINE_END, lines]) : lines;
    try {
      const fd = await this.current(bytes.length);
      const written = await writeOnce(fd, bytes);
      this.torn = written < bytes.length && bytes[written - 1] !== 0x0a;
      if (written < bytes.length) throw new Error(`wrote ${written} of ${bytes.length} bytes`);
      if (this.dropped > 0) this.options.log.warn("an access log lacks lines", this.lacking());
      this.dropped = 0;
      this.troubled = false;
    } catch (error) {
      this.dropped += count;
      if (!this.troubled)
        this.options.log.warn("an access log cannot be written", { ...this.lacking(), error: terse(error) });
      this.troubled = true;
      await this.release();
    }
  }

  private lacking(): { path: string; dropped: number } {
    return { path: this.options.path, dropped: this.dropped };
  }

  /** The descriptor to append to: of the file that has the name now, after rotating it when it would get too large. */
  private async current(more: number): Promise<number> {
    if (this.fd !== undefined && !this.hasName(this.fd)) await this.release();
    this.fd ??= await this.open();
    if (fstatSync(this.fd).size + more <= FILE_BYTES) return this.fd;
    this.rotate(this.fd);
    await this.release();
    this.fd = await this.open();
    return this.fd;
  }

  private async open(): Promise<number> {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
    const fd = await openFile(
      this.options.path,
      O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_WRONLY,
      MODE,
    );
    // The control plane reads it, as another user of the same group; the unit's umask would forbid that.
    await changeMode(fd, MODE);
    return fd;
  }

  /** Whether the file is still the one under its name: another worker may have rotated, an owner removed it. */
  private hasName(fd: number): boolean {
    const named = statSync(this.options.path, { throwIfNoEntry: false });
    return named !== undefined && named.ino === fstatSync(fd).ino;
  }

  /** By the worker that gets the lock, unless another was faster. */
  private rotate(fd: number): void {
    const { path, libc } = this.options;
    if (libc.flock(fd, LOCK_EX_NB) !== 0 || !this.hasName(fd)) return;
    for (let i = ACCESS_LOG_FILES - 1; i > 0; i--) {
      const from = i === 1 ? path : `${path}.${i - 1}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${path}.${i}`);
    }
  }

  private async release(): Promise<void> {
    const { fd } = this;
    this.fd = undefined;
    if (fd !== undefined) await closeFile(fd);
  }
}

const LINE_END = Buffer.from("\n");

/** One write(2) and no second: what is appended in one goes in as one, whoever else appends. */
function writeOnce(fd: number, bytes: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(fd, bytes, 0, bytes.length, null, (error, written) =>
    error === null ? resolve(written) : reject(error),
  );
  return promise;
}
