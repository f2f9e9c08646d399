import { CR, FIELD_VALUE, HEX, LF, SEMICOLON } from "./byte-class.ts";
import { Kind } from "./field-kind.ts";
import { BAD, Fields } from "./fields.ts";

export type BodyFraming = "none" | "length" | "chunked" | "close";

type ChunkState =
  | "size_start"
  | "size"
  | "extension"
  | "size_lf"
  | "data"
  | "data_cr"
  | "data_lf"
  | "trailer_start"
  | "trailer"
  | "end_lf";

const MAX_SIZE_DIGITS = 12;
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 8192;
const MAX_TRAILERS = 32;
const EMPTY = new Uint8Array(0);

/**
 * Follows the framing of one body, byte for byte (RFC 9112 sections 6 and 7), and says which bytes to pass on.
 * Chunked bodies are passed on as they came, so framing stays intact without copying; chunk extensions, and trailers
 * that could be mistaken for header fields with a meaning on the way, are cut out.
 */
export class BodyReader {
  done = true;
  /** Bytes of content so far, framing not counted. */
  contentBytes = 0;
  /** Pairs of offsets into the bytes last read: what to pass on, in order. */
  readonly parts: number[] = [];
  /** To be sent after the parts: the trailer section, checked and rewritten. */
  tail: Uint8Array = EMPTY;
  problem = "";

  private framing: BodyFraming = "none";
  private keepFraming = true;
  private remaining = 0;
  private state: ChunkState = "size_start";
  private digits = 0;
  private extensionBytes = 0;
  private trailer: number[] | undefined;

  /** `keepFraming` false: only the content of a chunked body is passed on (for HTTP/1.0 clients). */
  start(framing: BodyFraming, contentLength: number, keepFraming = true): void {
    this.framing = framing;
    this.keepFraming = keepFraming;
    this.remaining = contentLength;
    this.contentBytes = 0;
    this.done = framing === "none" || (framing === "length" && contentLength === 0);
    this.state = "size_start";
    this.digits = 0;
    this.extensionBytes = 0;
    this.trailer = undefined;
    this.problem = "";
  }

  /** Reads from `at`. Returns the position after what belongs to this body, or BAD (then `problem`). */
  read(bytes: Uint8Array, at: number): number {
    this.parts.length = 0;
    this.tail = EMPTY;
    if (this.done) return at;
    if (this.framing === "chunked") return this.readChunked(bytes, at);
    const end = this.framing === "close" ? bytes.length : Math.min(bytes.length, at + this.remaining);
    if (end > at) this.parts.push(at, end);
    this.contentBytes += end - at;
    if (this.framing === "length") {
      this.remaining -= end - at;
      this.done = this.remaining === 0;
    }
    return end;
  }

  private readChunked(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length && !this.done) {
      const next = this.state === "data" ? this.readData(bytes, at) : this.step(bytes, at);
      if (next === BAD) return BAD;
      at = next;
    }
    return at;
  }

  private readData(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.remaining);
    this.pass(at, end);
    this.contentBytes += end - at;
    this.remaining -= end - at;
    if (this.remaining === 0) this.state = "data_cr";
    return end;
  }

  /** One byte of framing. */
  private step(bytes: Uint8Array, at: number): number {
    const c = bytes[at]!;
    switch (this.state) {
      case "size_start":
      case "size":
        return this.stepSize(c, at);
      case "extension":
        return this.stepExtension(c, at);
      case "size_lf":
        if (c !== LF) return this.bad("bare CR after a chunk size");
        this.state = this.remaining === 0 ? "trailer_start" : "data";
        return this.passFraming(at);
      case "data_cr":
        return c === CR ? this.to("data_lf", at) : this.bad("chunk longer than its size");
      case "data_lf":
        if (c !== LF) return this.bad("bare CR after a chunk");
        this.digits = 0;
        return this.to("size_start", at);
      case "trailer_start":
        if (c === CR) return this.to("end_lf", at);
        this.state = "trailer";
        return this.stepTrailer(c, at);
      case "trailer":
        return this.stepTrailer(c, at);
      case "end_lf":
        if (c !== LF) return this.bad("bare CR at the end of the body");
        this.done = true;
        return this.passFraming(at);
      case "data":
        return at;
    }
  }

  private stepSize(c: number, at: number): number {
    const digit = HEX[c]!;
    if (digit !== 255) {
      if (++this.digits > MAX_SIZE_DIGITS) return this.bad("chunk size too large");
      this.remaining = (this.state === "size_start" ? 0 : this.remaining * 16) + digit;
      return this.to("size", at);
    }
    if (this.state === "size_start") return this.bad("malformed chunk size");
    if (c === CR) return this.to("size_lf", at);
    if (c !== SEMICOLON) return this.bad("malformed chunk size");
    this.state = "extension";
    return at + 1;
  }

  private stepExtension(c: number, at: number): number {
    if (c === CR) return this.to("size_lf", at);
    if (FIELD_VALUE[c] !== 1) return this.bad("malformed chunk extension");
    if (++this.extensionBytes > MAX_EXTENSION_BYTES) return this.bad("chunk extensions too long");
    return at + 1;
  }

  private stepTrailer(c: number, at: number): number {
    this.trailer ??= [];
    const { trailer } = this;
    const n = trailer.push(c);
    if (n > MAX_TRAILER_BYTES) return this.bad("trailers too long");
    const ended = n >= 4 && c === LF && trailer[n - 3] === LF && trailer[n - 2] === CR;
    if (!ended) return at + 1;
    const bytes = Buffer.from(trailer);
    const fields = new Fields(MAX_TRAILERS);
    if (fields.parse(bytes, 0) !== bytes.length) return this.bad(`trailers: ${fields.problem}`);
    if (fields.kind.subarray(0, fields.count).some(decidesFraming))
      return this.bad("framing field in trailers");
    if (this.keepFraming) this.tail = keptTrailers(bytes, fields);
    this.done = true;
    return at + 1;
  }

  private to(state: ChunkState, at: number): number {
    this.state = state;
    return this.passFraming(at);
  }

  private passFraming(at: number): number {
    if (this.keepFraming) this.pass(at, at + 1);
    return at + 1;
  }

  /** Adds a range, joined to the one before when they touch. */
  private pass(from: number, to: number): void {
    const { parts } = this;
    if (parts.length > 0 && parts[parts.length - 1] === from) parts[parts.length - 1] = to;
    else if (to > from) parts.push(from, to);
  }

  private bad(problem: string): number {
    this.problem = problem;
    return BAD;
  }
}

/** What nobody may send after the body (RFC 9110 section 6.5.1): some proxies read it, and a body's end with it. */
const decidesFraming = (kind: number) =>
  kind === Kind.contentLength || kind === Kind.transferEncoding || kind === Kind.lookalike;

/** Only fields without a meaning for framing, routing or identity may come after the body (RFC 9110 section 6.5.1). */
function keptTrailers(bytes: Buffer, fields: Fields): Uint8Array {
  const kept: Buffer[] = [];
  for (let i = 0; i < fields.count; i++)
    if (fields.kind[i] === Kind.other) kept.push(bytes.subarray(fields.nameStart[i]!, fields.lineEnd[i]!));
  kept.push(Buffer.from("\r\n"));
  return Buffer.concat(kept);
}
