import { COLON, CR, FIELD_VALUE, LF, SP, TAB, TOKEN } from "./byte-class.ts";
import { fieldKind } from "./field-kind.ts";

/** The section goes on in bytes that have not come yet. */
export const INCOMPLETE = -1;
/** The bytes break RFC 9112; `problem` says how. */
export const BAD = -2;
/** More fields or bytes than the limits allow. */
export const TOO_LARGE = -3;

const KEEP_ALIVE_BYTES = Buffer.from("keep-alive");

/**
 * The field lines of one message, as offsets into the bytes they were read from (RFC 9112 section 5, without its
 * leniency: no folding, no space before the colon, no bare CR or LF). One object is reused for message after message.
 */
export class Fields {
  count = 0;
  problem = "";
  readonly kind: Uint8Array;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** End of the whole line, its CRLF included. */
  readonly lineEnd: Int32Array;

  constructor(readonly limit: number) {
    this.kind = new Uint8Array(limit);
    this.nameStart = new Int32Array(limit);
    this.nameEnd = new Int32Array(limit);
    this.valueStart = new Int32Array(limit);
    this.valueEnd = new Int32Array(limit);
    this.lineEnd = new Int32Array(limit);
  }

  /** Reads lines from `at` up to and with the empty one. Returns the position after it, or one of the codes above. */
  parse(bytes: Uint8Array, at: number): number {
    const end = bytes.length;
    this.count = 0;
    for (;;) {
      if (at >= end) return INCOMPLETE;
      if (bytes[at] === CR) {
        if (at + 1 >= end) return INCOMPLETE;
        return bytes[at + 1] === LF ? at + 2 : this.bad("bare CR");
      }
      at = this.parseLine(bytes, at, end);
      if (at < 0) return at;
    }
  }

  private parseLine(bytes: Uint8Array, at: number, end: number): number {
    const nameStart = at;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== COLON || at === nameStart) return this.bad("malformed field name");
    const nameEnd = at++;
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== CR) return this.bad("control character in a field value");
    if (at + 1 === end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return this.bad("bare CR");
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
    const i = this.count;
    if (i === this.limit) return this.tooMany();
    this.kind[i] = fieldKind(bytes, nameStart, nameEnd);
    this.nameStart[i] = nameStart;
    this.nameEnd[i] = nameEnd;
    this.valueStart[i] = valueStart;
    this.valueEnd[i] = valueEnd;
    this.lineEnd[i] = at + 2;
    this.count = i + 1;
    return at + 2;
  }

  /** The value of field `i`. */
  value(bytes: Buffer, i: number): string {
    return bytes.toString("latin1", this.valueStart[i]!, this.valueEnd[i]!);
  }

  /** The value of field `i`, a Connection: what nearly all of them say makes no new string. */
  connection(bytes: Buffer, i: number): string {
    const start = this.valueStart[i]!;
    if (this.valueEnd[i]! - start !== KEEP_ALIVE_BYTES.length) return this.value(bytes, i);
    for (let at = 0; at < KEEP_ALIVE_BYTES.length; at++)
      if (bytes[start + at] !== KEEP_ALIVE_BYTES[at]) return this.value(bytes, i);
    return "keep-alive";
  }

  /** The lower-case name of field `i`. */
  name(bytes: Buffer, i: number): string {
    return bytes.toString("latin1", this.nameStart[i]!, this.nameEnd[i]!).toLowerCase();
  }

  private bad(problem: string): number {
    this.problem = problem;
    return BAD;
  }

  private tooMany(): number {
    this.problem = "too many header fields";
    return TOO_LARGE;
  }
}

/** Values of a field that came more than once, as the one list they mean (RFC 9110 section 5.3). */
export function joined(before: string, value: string): string {
  return before === "" ? value : `${before},${value}`;
}

const NONE: string[] = [];
const KEEP_ALIVE = ["keep-alive"];
const CLOSE = ["close"];

/** Elements of a comma-separated value, lower-case, empty ones left out (RFC 9110 section 5.6.1). Not to be changed. */
export function listOf(value: string): readonly string[] {
  if (value === "") return NONE;
  if (value === "keep-alive") return KEEP_ALIVE;
  if (value === "close") return CLOSE;
  return value
    .toLowerCase()
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

/** The connection options that name fields: all but those with a meaning of their own. */
export function optionsIn(names: readonly string[]): readonly string[] {
  if (names.length === 0 || names === KEEP_ALIVE || names === CLOSE) return NONE;
  return names.filter((name) => name !== "close" && name !== "keep-alive" && name !== "upgrade");
}
