import { CR, FIELD_VALUE, LF, SP } from "./byte-class.ts";
import { Kind } from "./field-kind.ts";
import { BAD, Fields, INCOMPLETE, joined, listOf, optionsIn, TOO_LARGE } from "./fields.ts";
import type { Limits } from "./limits.ts";
import { readDigits, readLength } from "./number-field.ts";

/** `close`: the body ends with the connection (RFC 9112 section 6.3). */
export type ResponseFraming = "none" | "length" | "chunked" | "close";

const NO_FIELD = -1;

/** The head of one answer of an app, read as strictly as a request (RFC 9112 sections 4 to 6). Reused. */
export class ResponseHead {
  readonly fields: Fields;
  status = 0;
  minorVersion = 1;
  lineStart = 0;
  reasonStart = 0;
  reasonEnd = 0;
  framing: ResponseFraming = "none";
  contentLength = 0;
  /** The answer says that its body is chunked, even if it has none (HEAD). */
  saysChunked = false;
  keepAlive = true;
  connectionNames: readonly string[] = [];
  problem = "";

  constructor(private readonly limits: Limits) {
    this.fields = new Fields(limits.headerCount);
  }

  /** Reads one head from `at`. `bodiless`: it answers HEAD. Returns the position after it or a negative code. */
  parse(bytes: Buffer, at: number, bodiless: boolean): number {
    const fieldsAt = this.parseStatusLine(bytes, at);
    const end = fieldsAt < 0 ? fieldsAt : this.fields.parse(bytes, fieldsAt);
    if (end === BAD || end === TOO_LARGE) {
      if (fieldsAt >= 0) this.problem = this.fields.problem;
      return end;
    }
    if ((end === INCOMPLETE ? bytes.length : end) - at > this.limits.headerBytes * 2) {
      this.problem = "header too large";
      return TOO_LARGE;
    }
    if (end === INCOMPLETE) return end;
    return this.interpret(bytes, bodiless) ? end : BAD;
  }

  private parseStatusLine(bytes: Buffer, at: number): number {
    const wanted = "HTTP/1.";
    this.lineStart = at;
    for (let i = 0; i < wanted.length; i++) {
      if (at + i === bytes.length) return INCOMPLETE;
      if (bytes[at + i] !== wanted.charCodeAt(i)) return this.bad("not an HTTP/1 answer");
    }
    if (bytes.length < at + 13) return INCOMPLETE;
    this.minorVersion = bytes[at + 7]! - 0x30;
    if (this.minorVersion !== 0 && this.minorVersion !== 1) return this.bad("unsupported HTTP version");
    this.status = readDigits(bytes, at + 9, at + 12);
    if (bytes[at + 8] !== SP || this.status < 100) return this.bad("malformed status line");
    at += 12;
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR) return this.bad("malformed status line");
    this.reasonStart = at;
    while (at < bytes.length && FIELD_VALUE[bytes[at]!] === 1) at++;
    this.reasonEnd = at;
    if (at + 1 >= bytes.length)
      return at < bytes.length && bytes[at] !== CR ? this.bad("malformed status line") : INCOMPLETE;
    return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : this.bad("malformed status line");
  }

  private interpret(bytes: Buffer, bodiless: boolean): boolean {
    const { fields } = this;
    let length = NO_FIELD;
    let coding = NO_FIELD;
    let connection = "";
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind[i];
      if (kind === Kind.contentLength) {
        if (length !== NO_FIELD) return this.refuse("more than one Content-Length");
        length = i;
      } else if (kind === Kind.transferEncoding) {
        if (coding !== NO_FIELD) return this.refuse("more than one Transfer-Encoding");
        coding = i;
      } else if (kind === Kind.connection) connection = joined(connection, fields.connection(bytes, i));
      else if (kind === Kind.lookalike) return this.refuse("a field name that imitates a framing field");
    }
    const names = listOf(connection);
    this.keepAlive = this.minorVersion === 1 ? !names.includes("close") : names.includes("keep-alive");
    this.connectionNames = optionsIn(names);
    return this.interpretFraming(bytes, length, coding, bodiless);
  }

  private interpretFraming(bytes: Buffer, length: number, coding: number, bodiless: boolean): boolean {
    this.contentLength = 0;
    this.saysChunked = coding !== NO_FIELD;
    if (this.saysChunked) {
      if (length !== NO_FIELD) return this.refuse("Content-Length and Transfer-Encoding together");
      if (this.minorVersion === 0) return this.refuse("Transfer-Encoding in HTTP/1.0");
      if (fieldIsNot(this.fields.value(bytes, coding), "chunked"))
        return this.refuse("unsupported Transfer-Encoding");
    }
    if (length !== NO_FIELD) {
      this.contentLength = readLength(bytes, this.fields, length);
      if (this.contentLength < 0) return this.refuse("malformed Content-Length");
    }
    const empty = bodiless || this.status < 200 || this.status === 204 || this.status === 304;
    if (empty) this.framing = "none";
    else if (this.saysChunked) this.framing = "chunked";
    else if (length === NO_FIELD) this.framing = "close";
    else this.framing = this.contentLength === 0 ? "none" : "length";
    // Not to be said with 204 (RFC 9112 section 6.1), whatever the app does.
    if (this.status === 204) this.saysChunked = false;
    return true;
  }

  private refuse(problem: string): false {
    this.problem = problem;
    return false;
  }

  private bad(problem: string): number {
    this.problem = problem;
    return BAD;
  }
}

function fieldIsNot(value: string, wanted: string): boolean {
  return value.toLowerCase() !== wanted;
}
