import { CR, LF, QUESTION, SLASH, SP, TARGET, TOKEN } from "./byte-class.ts";
import { Kind } from "./field-kind.ts";
import { BAD, Fields, INCOMPLETE, joined, listOf, optionsIn, TOO_LARGE } from "./fields.ts";
import { Authorities, type Authority, parseAuthority } from "./host-name.ts";
import type { Limits } from "./limits.ts";
import { readLength } from "./number-field.ts";
import type { ProxyErrorCode } from "./protocol.ts";
import { normalisePath } from "./request-path.ts";

export type RequestFraming = "none" | "length" | "chunked";

const PERCENT = 0x25;
const DOT = 0x2e;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);
const NO_FIELD = -1;

/**
 * The head of one request: the only place that decides its framing, host and path (RFC 9112 sections 3, 5 and 6).
 * Reused; everything in it refers to the bytes given to the last `parse`.
 */
export class RequestHead {
  readonly fields: Fields;
  private readonly authorities = new Authorities();
  private bytes: Buffer = Buffer.alloc(0);
  private pathStart = 0;
  private pathEnd = 0;
  private queryEnd = 0;
  private pathText: string | undefined;
  method = "";
  /** The request line, its CRLF included, if it can pass as it came; otherwise `lineEnd` is 0. */
  lineStart = 0;
  lineEnd = 0;
  minorVersion = 1;
  authority: Authority = { name: "", text: "" };
  framing: RequestFraming = "none";
  contentLength = 0;
  keepAlive = true;
  /** Field index of Upgrade when the request really asks for another protocol. */
  upgrade = NO_FIELD;
  expectContinue = false;
  /** Names that Connection declares as concerning this connection only. */
  connectionNames: readonly string[] = [];
  /** Field index of X-Diplo-Probe. */
  probe = NO_FIELD;
  /** Why `parse` refused. */
  problem = "";
  code: ProxyErrorCode = "bad_request";

  constructor(private readonly limits: Limits) {
    this.fields = new Fields(limits.headerCount);
  }

  /** Path as routed and forwarded. */
  get path(): string {
    this.pathText ??= this.bytes.toString("latin1", this.pathStart, this.pathEnd);
    return this.pathText;
  }

  /** With its `?`, or empty. */
  get query(): string {
    return this.pathEnd === this.queryEnd ? "" : this.bytes.toString("latin1", this.pathEnd, this.queryEnd);
  }

  get idempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  /** A body on a method that gives it no meaning: neither connection may be used again (RFC 9110 section 9.3.1). */
  get bodyIsUndefined(): boolean {
    return (
      this.framing !== "none" && (this.method === "GET" || this.method === "HEAD" || this.method === "TRACE")
    );
  }

  /** Reads one head from `at`. Returns the position after it, INCOMPLETE, BAD or TOO_LARGE (then `code`, `problem`). */
  parse(bytes: Buffer, at: number): number {
    const end = this.parseHead(bytes, at);
    const size = (end === INCOMPLETE ? bytes.length : end) - at;
    if (end !== BAD && end !== TOO_LARGE && size > this.limits.headerBytes)
      return this.tooLarge("header too large");
    return end;
  }

  private parseHead(bytes: Buffer, at: number): number {
    // One empty line before a request is forgiven (RFC 9112 section 2.2).
    if (bytes[at] === CR) {
      if (at + 1 === bytes.length) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return this.bad("bare CR");
      at += 2;
    }
    const fieldsAt = this.parseRequestLine(bytes, at);
    if (fieldsAt < 0) return fieldsAt;
    const end = this.fields.parse(bytes, fieldsAt);
    if (end === BAD) return this.bad(this.fields.problem);
    if (end === TOO_LARGE) return this.tooLarge(this.fields.problem);
    if (end === INCOMPLETE) return INCOMPLETE;
    return this.interpret(bytes) ? end : BAD;
  }

  private parseRequestLine(bytes: Buffer, start: number): number {
    const end = bytes.length;
    let at = start;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at - start > 32) return this.bad("method too long");
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === start) return this.bad("malformed method");
    this.method = isGet(bytes, start, at) ? "GET" : bytes.toString("latin1", start, at);
    const targetStart = ++at;
    let question = -1;
    let dots = false;
    for (let before = 0; at < end; at++) {
      const c = bytes[at]!;
      if (TARGET[c] !== 1) break;
      if (c === QUESTION && question < 0) question = at;
      else if (question < 0 && (c === PERCENT || (c === DOT && before === SLASH))) dots = true;
      before = c;
    }
    if (at - targetStart > this.limits.targetBytes) return this.tooLarge("request target too long");
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === targetStart) return this.bad("malformed request target");
    const version = this.parseVersion(bytes, at + 1);
    if (version < 0) return version;
    this.bytes = bytes;
    this.pathStart = targetStart;
    this.pathEnd = question < 0 ? at : question;
    this.queryEnd = at;
    this.pathText = undefined;
    this.lineStart = start;
    this.lineEnd = this.minorVersion === 1 ? version : 0;
    if (dots && bytes[targetStart] === SLASH && !this.normalise()) return BAD;
    return version;
  }

  private parseVersion(bytes: Buffer, at: number): number {
    const wanted = "HTTP/1.";
    for (let i = 0; i < wanted.length; i++) {
      if (at + i === bytes.length) return INCOMPLETE;
      if (bytes[at + i] !== wanted.charCodeAt(i)) return this.bad("unsupported HTTP version");
    }
    at += wanted.length;
    if (at === bytes.length) return INCOMPLETE;
    const minor = bytes[at]! - 0x30;
    if (minor !== 0 && minor !== 1) return this.bad("unsupported HTTP version");
    this.minorVersion = minor;
    if (at + 1 === bytes.length) return INCOMPLETE;
    if (bytes[at + 1] !== CR) return this.bad("malformed request line");
    if (at + 2 === bytes.length) return INCOMPLETE;
    return bytes[at + 2] === LF ? at + 3 : this.bad("bare CR");
  }

  private normalise(): boolean {
    const path = normalisePath(this.path);
    if (path === undefined) return this.refuse("path above the root");
    if (path !== this.path) this.rewritePath(path);
    return true;
  }

  private rewritePath(path: string): void {
    this.pathText = path;
    this.lineEnd = 0;
  }

  /** What the fields mean together. False: refused. */
  private interpret(bytes: Buffer): boolean {
    const { fields } = this;
    let host = NO_FIELD;
    let length = NO_FIELD;
    let coding = NO_FIELD;
    let upgrade = NO_FIELD;
    let expect = NO_FIELD;
    let connection = "";
    this.probe = NO_FIELD;
    for (let i = 0; i < fields.count; i++) {
      switch (fields.kind[i]) {
        case Kind.other:
          break;
        case Kind.host:
          if (host !== NO_FIELD) return this.refuse("more than one Host");
          host = i;
          break;
        case Kind.contentLength:
          if (length !== NO_FIELD) return this.refuse("more than one Content-Length");
          length = i;
          break;
        case Kind.transferEncoding:
          if (coding !== NO_FIELD) return this.refuse("more than one Transfer-Encoding");
          coding = i;
          break;
        case Kind.lookalike:
          return this.refuse("a field name that imitates Content-Length or Transfer-Encoding");
        case Kind.connection:
          connection = joined(connection, fields.connection(bytes, i));
          break;
        case Kind.upgrade:
          if (upgrade !== NO_FIELD) return this.refuse("more than one Upgrade");
          upgrade = i;
          break;
        case Kind.expect:
          if (expect !== NO_FIELD) return this.refuse("more than one Expect");
          expect = i;
          break;
        case Kind.probe:
          this.probe = i;
          break;
      }
    }
    return (
      this.interpretFraming(bytes, length, coding) &&
      this.interpretHost(bytes, host) &&
      this.interpretTarget() &&
      this.interpretConnection(bytes, connection, upgrade) &&
      this.interpretExpect(bytes, expect)
    );
  }

  private interpretFraming(bytes: Buffer, length: number, coding: number): boolean {
    this.framing = "none";
    this.contentLength = 0;
    if (coding !== NO_FIELD) {
      if (length !== NO_FIELD) return this.refuse("Content-Length and Transfer-Encoding together");
      if (this.minorVersion === 0) return this.refuse("Transfer-Encoding in HTTP/1.0");
      if (this.fields.value(bytes, coding).toLowerCase() !== "chunked")
        return this.refuse("unsupported Transfer-Encoding");
      this.framing = "chunked";
    } else if (length !== NO_FIELD) {
      const value = readLength(bytes, this.fields, length);
      if (value < 0) return this.refuse("malformed Content-Length");
      this.contentLength = value;
      if (value > 0) this.framing = "length";
    }
    return true;
  }

  private interpretHost(bytes: Buffer, host: number): boolean {
    if (host === NO_FIELD || this.fields.valueStart[host] === this.fields.valueEnd[host]) {
      this.code = "missing_host";
      this.problem = "no Host";
      return false;
    }
    const authority = this.authorities.get(this.fields.value(bytes, host));
    if (authority === undefined) return this.refuse("malformed Host");
    this.authority = authority;
    return true;
  }

  /** Absolute-form must agree with Host; the asterisk is for OPTIONS; CONNECT is for forward proxies. */
  private interpretTarget(): boolean {
    if (this.method === "CONNECT") return this.refuse("CONNECT is not served");
    if (this.bytes[this.pathStart] === SLASH) return true;
    if (this.path === "*" && this.method === "OPTIONS" && this.query === "") return true;
    const absolute = ABSOLUTE.exec(this.path);
    if (absolute === null) return this.refuse("malformed request target");
    const authority = parseAuthority(absolute[1]!);
    if (authority === undefined || withoutDefaultPort(authority) !== withoutDefaultPort(this.authority))
      return this.refuse("request target and Host disagree");
    this.rewritePath(absolute[2] === "" ? "/" : absolute[2]!);
    return this.normalise();
  }

  private interpretConnection(bytes: Buffer, connection: string, upgrade: number): boolean {
    const names = listOf(connection);
    this.keepAlive = this.minorVersion === 1 ? !names.includes("close") : names.includes("keep-alive");
    this.connectionNames = optionsIn(names);
    // h2c would carry requests past every rule of the proxy; an upgrade with a body has no clear end.
    const wanted = upgrade !== NO_FIELD && names.includes("upgrade") && this.minorVersion === 1;
    const protocols = wanted ? listOf(this.fields.value(bytes, upgrade)) : [];
    const clear = protocols.length > 0 && !protocols.some((protocol) => protocol.startsWith("h2"));
    this.upgrade = clear && this.framing === "none" ? upgrade : NO_FIELD;
    return true;
  }

  private interpretExpect(bytes: Buffer, expect: number): boolean {
    this.expectContinue = false;
    if (expect === NO_FIELD || this.minorVersion === 0) return true;
    if (this.fields.value(bytes, expect).toLowerCase() !== "100-continue")
      return this.refuse("unknown Expect");
    this.expectContinue = this.framing !== "none";
    return true;
  }

  private refuse(problem: string): false {
    this.bad(problem);
    return false;
  }

  private bad(problem: string): number {
    this.code = "bad_request";
    this.problem = problem;
    return BAD;
  }

  private tooLarge(problem: string): number {
    this.code = "header_too_large";
    this.problem = problem;
    return TOO_LARGE;
  }
}

function withoutDefaultPort(authority: Authority): string {
  return authority.text.replace(/:(80|443)$/, "");
}

function isGet(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54;
}
