import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { sleepOrAbort } from "../../jobs/settle.ts";
import { ACCESS_LOG_DIRECTORY, ACCESS_LOG_FILES, accessLogFile } from "../../proxy/protocol.ts";
import type { AppLogLine } from "../instances/merge-logs.ts";

export interface AccessLogOptions {
  /** How many of the latest lines; 100 without. */
  lines?: number;
  follow?: boolean;
  /** ISO time: nothing from before it. */
  since?: string;
  signal?: AbortSignal;
}

/** Whose log it is. */
export interface AccessLogOwner {
  app: string;
  name: string;
}

const LOOK_MS = 500;
const BLOCK_BYTES = 256 * 1024;
/** A longer line is the data plane's header limit several times over. */
const LINE_BYTES = 1024 * 1024;
const LF = 0x0a;

/** Reads what the data plane writes down of requests. It owns the files, so none of them is trusted to be one. */
export class AccessLogReader {
  private readonly directory: string;

  constructor(proxyDirectory: string) {
    this.directory = join(proxyDirectory, ACCESS_LOG_DIRECTORY);
  }

  /** The latest lines in order; with `follow` what comes after them too, also when the file is rotated. */
  async *lines(owner: AccessLogOwner, options: AccessLogOptions): AsyncIterable<AppLogLine> {
    const name = accessLogFile(owner.app, owner.name);
    const { lines = 100, since = "", follow = false, signal = new AbortController().signal } = options;
    await using tail = new Tail((rotated) => this.open(rotated === 0 ? name : `${name}.${rotated}`));
    for (const text of await tail.last(lines)) {
      const line = lineOf(text);
      if (line.at >= since) yield line;
    }
    while (follow && !signal.aborted) {
      for (const text of await tail.more()) yield lineOf(text);
      await sleepOrAbort(LOOK_MS, signal);
    }
  }

  /** Of an environment that is destroyed. */
  async remove(owner: AccessLogOwner): Promise<void> {
    const path = join(this.directory, accessLogFile(owner.app, owner.name));
    for (let i = 0; i < ACCESS_LOG_FILES; i++) await rm(i === 0 ? path : `${path}.${i}`, { force: true });
  }

  /** Undefined: there is none. Links of either kind and whatever is no file are passed over. */
  private async open(name: string): Promise<FileHandle | undefined> {
    const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
    try {
      await using directory = await open(this.directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const file = await open(`/proc/self/fd/${directory.fd}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stat = await file.stat();
      if (stat.isFile() && stat.nlink === 1) return file;
      await file.close();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "ENOENT" && code !== "ELOOP" && code !== "ENOTDIR") throw error;
    }
    return undefined;
  }
}

/** The end of a log that is rotated: number 0 is the one being written, higher ones are older. */
class Tail implements AsyncDisposable {
  private file: FileHandle | undefined;
  private position = 0;
  /** Begin of a line whose end has not been written yet. */
  private begun: Buffer = Buffer.alloc(0);

  constructor(private readonly openFile: (rotated: number) => Promise<FileHandle | undefined>) {}

  async last(count: number): Promise<string[]> {
    this.file = await this.openFile(0);
    if (this.file === undefined) return [];
    this.position = (await this.file.stat()).size;
    let lines = await lastLines(this.file, this.position, count);
    for (let i = 1; i < ACCESS_LOG_FILES && lines.length < count; i++) {
      const older = await this.openFile(i);
      if (older === undefined) break;
      await using file = older;
      lines = [...(await lastLines(file, (await file.stat()).size, count - lines.length)), ...lines];
    }
    return lines;
  }

  /** Whole lines written since. A file that was rotated is read to its end before the next one. */
  async more(): Promise<string[]> {
    const lines = await this.readOn();
    const current = await this.openFile(0);
    if (current === undefined) return lines;
    if (this.file !== undefined && (await sameFile(current, this.file))) {
      await current.close();
      return lines;
    }
    lines.push(...(await this.readOn()));
    await this.file?.close();
    this.file = current;
    this.position = 0;
    this.begun = Buffer.alloc(0);
    return [...lines, ...(await this.readOn())];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file?.close();
  }

  private async readOn(): Promise<string[]> {
    const lines: string[] = [];
    const block = Buffer.alloc(BLOCK_BYTES);
    for (;;) {
      const count = (await this.file?.read(block, 0, block.length, this.position))?.bytesRead ?? 0;
      if (count === 0) return lines;
      this.position += count;
      const bytes = Buffer.concat([this.begun, block.subarray(0, count)]);
      const end = bytes.lastIndexOf(LF) + 1;
      lines.push(...bytes.toString("latin1", 0, end).split("\n").slice(0, -1));
      this.begun = bytes.length - end > LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(end);
    }
  }
}

/** Whole lines only, from the end backwards. */
async function lastLines(file: FileHandle, size: number, count: number): Promise<string[]> {
  let bytes: Buffer = Buffer.alloc(0);
  for (let at = size; at > 0 && linesIn(bytes) <= count; ) {
    const length = Math.min(BLOCK_BYTES, at);
    const block = Buffer.alloc(length);
    at -= length;
    await file.read(block, 0, length, at);
    bytes = Buffer.concat([block, bytes]);
  }
  const lines = bytes
    .toString("latin1", 0, bytes.lastIndexOf(LF) + 1)
    .split("\n")
    .slice(0, -1);
  return count === 0 ? [] : lines.slice(-count);
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}

async function sameFile(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [a, b] = await Promise.all([one.stat(), other.stat()]);
  return a.ino === b.ino && a.dev === b.dev;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const JSON_TIME = /^\{"time":"([^"]+)"/;
const COMMON_TIME = /\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) \+0000\]/;

function lineOf(text: string): AppLogLine {
  return { at: timeOf(text), text, stream: streamOf(text), instance: "router", process: "router" };
}

/** What stands in quotes is escaped, so that a request cannot look like a status. */
const STATUS = /(?:,"status":|" )(\d{3})[, ]/;

/** A failure counts as an error, wherever only these are shown. */
function streamOf(text: string): AppLogLine["stream"] {
  return (STATUS.exec(text)?.[1] ?? "") >= "500" ? "stderr" : "stdout";
}

/** ISO time of a line of either format; the epoch for one that is neither. */
function timeOf(text: string): string {
  const json = JSON_TIME.exec(text);
  if (json !== null) return json[1]!;
  const [, day, month = "", year, time] = COMMON_TIME.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, "0");
  return day === undefined ? new Date(0).toISOString() : `${year}-${number}-${day}T${time}.000Z`;
}
