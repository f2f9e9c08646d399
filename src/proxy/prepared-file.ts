import { CODINGS, type Coding } from "./content-coding.ts";
import { formatHttpDate, type HttpClock } from "./http-date.ts";
import type { FileOfSite } from "./site-file.ts";
import type { HeaderSet } from "./site-headers.ts";

/** The answer to a GET of one variant of a file as bytes, made once. What else is answered is cut out of it. */
export class PreparedFile {
  /** Was asked for since the cache last looked. */
  used = true;
  /** For which second the date in `bytes` is right. */
  private second = 0;

  constructor(
    readonly file: FileOfSite,
    readonly coding: Coding,
    readonly status: 200 | 404,
    readonly headers: HeaderSet,
    readonly etag: string,
    readonly lastModified: string,
    /** Head and, if `whole`, body after it. */
    readonly bytes: Buffer,
    /** Where in `bytes` they begin: fields for every answer, fields about the content, its length, the content. */
    readonly at: { date: number; fields: number; entity: number; length: number; body: number },
    /** The body is in memory too. */
    readonly whole: boolean,
  ) {}

  get size(): number {
    return this.file.sizes[this.coding]!;
  }

  get modifiedAt(): number {
    return this.file.modifiedAt;
  }

  /** The lines that stand in every answer about the file. */
  get fieldText(): string {
    return this.bytes.toString("latin1", this.at.fields, this.at.entity);
  }

  /** Puts the date of now into `bytes`: the only part of them that ever changes. */
  refresh(clock: HttpClock): void {
    if (this.second === clock.second) return;
    this.second = clock.second;
    clock.bytes.copy(this.bytes, this.at.date);
  }
}

const STATUS_LINES = { 200: "HTTP/1.1 200 OK\r\n", 404: "HTTP/1.1 404 Not Found\r\n" };
const DATE_LENGTH = "Sun, 06 Nov 1994 08:49:37 GMT".length;
const OWN_NAMES = new Set(["content-type", "cache-control", "vary", "x-content-type-options"]);

export interface HeadParts {
  file: FileOfSite;
  coding: Coding;
  status: 200 | 404;
  headers: HeaderSet;
}

/** Makes the head; `read` puts the body into the space behind it, and is called only when `whole`. */
export function prepareFile(parts: HeadParts, whole: boolean, read: (into: Buffer) => void): PreparedFile {
  const { file, coding, status, headers } = parts;
  const etag = file.etag(coding);
  const lastModified = formatHttpDate(file.modifiedAt);
  const size = file.sizes[coding]!;
  const first = `${STATUS_LINES[status]}Date: `;
  const fields = status === 200 ? `ETag: ${etag}\r\nLast-Modified: ${lastModified}\r\n` : "";
  const pieces = [
    `${first}${" ".repeat(DATE_LENGTH)}\r\n`,
    fields + fieldLines(parts),
    entityLines(parts),
    `Content-Length: ${size}\r\n\r\n`,
  ].map((text) => Buffer.from(text));
  const [date, fieldsAt] = [first.length, pieces[0]!.length];
  const entity = fieldsAt + pieces[1]!.length;
  const length = entity + pieces[2]!.length;
  const body = length + pieces[3]!.length;
  const bytes = Buffer.allocUnsafeSlow(body + (whole ? size : 0));
  Buffer.concat(pieces).copy(bytes);
  if (whole) read(bytes.subarray(body));
  const at = { date, fields: fieldsAt, entity, length, body };
  return new PreparedFile(file, coding, status, headers, etag, lastModified, bytes, at, whole);
}

/** What stands in every answer about the file, 304 and 206 too (RFC 9110 section 15.4.5). */
function fieldLines({ file, headers }: HeadParts): string {
  const said = (name: string) => headers.lines.get(name)?.value;
  let lines = `Cache-Control: ${said("cache-control") ?? file.cacheControl}\r\n`;
  const vary = [file.hasVariants ? "Accept-Encoding" : "", said("vary") ?? ""].filter(Boolean).join(", ");
  if (vary !== "") lines += `Vary: ${vary}\r\n`;
  lines += `X-Content-Type-Options: ${said("x-content-type-options") ?? "nosniff"}\r\n`;
  for (const [key, { name, value }] of headers.lines)
    if (!OWN_NAMES.has(key)) lines += `${name}: ${value}\r\n`;
  return lines;
}

/** About the content that comes with the answer. */
function entityLines({ file, coding, status, headers }: HeadParts): string {
  const type = headers.lines.get("content-type")?.value ?? file.type;
  const encoding = coding === 0 ? "" : `Content-Encoding: ${CODINGS[coding]}\r\n`;
  return `Content-Type: ${type}\r\n${encoding}${status === 200 ? "Accept-Ranges: bytes\r\n" : ""}`;
}
