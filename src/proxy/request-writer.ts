import type { ByteWriter } from "./byte-writer.ts";
import { Kind } from "./field-kind.ts";
import { withoutOwnCookies } from "./own-cookies.ts";
import type { RequestHead } from "./request-head.ts";

/** Who is on the other end of a client connection. */
export class Peer {
  private host = "";
  private facts = "";

  constructor(
    readonly address: string,
    readonly secure: boolean,
    /** Its X-Forwarded-* are believed (settings.trusted_proxies). */
    readonly trusted: boolean,
  ) {}

  /** Field lines that tell an app about this client. The last ones are kept: a client rarely changes the host. */
  factsFor(host: string): string {
    if (host === this.host) return this.facts;
    this.host = host;
    this.facts = `${linesOf(factsOf(this, host))}X-Forwarded-For: ${this.address}\r\n`;
    return this.facts;
  }
}

export interface RequestRewrite {
  peer: Peer;
  /** Path for the app, the route's prefix already taken away if it asks for that. */
  path: string;
  requestId: string;
  ownCookies: ReadonlySet<string>;
  /** Ask the app to close the connection after its answer. */
  close: boolean;
}

/** Names that Connection may not remove: they belong to the proxy or to framing (RFC 9110 section 7.6.1). */
const PROTECTED =
  /^(host|content-length|transfer-encoding|forwarded|x-forwarded-.*|x-real-ip|x-request-id|x-diplo-.*)$/;

/** Writes the head that an app gets for `head`, which was parsed from `bytes`. */
export function writeRequestHead(
  out: ByteWriter,
  bytes: Buffer,
  head: RequestHead,
  rewrite: RequestRewrite,
): void {
  out.text(`${head.method} ${rewrite.path}${head.query} HTTP/1.1\r\nHost: ${head.authority.text}\r\n`);
  const said = copyFields(out, bytes, head, rewrite);
  const { peer } = rewrite;
  if (said === undefined)
    out.text(`${peer.factsFor(head.authority.text)}X-Request-ID: ${rewrite.requestId}\r\n`);
  else out.text(supplement(peer, head.authority.text, rewrite.requestId, said));
  if (head.framing === "chunked") out.text("Transfer-Encoding: chunked\r\n");
  if (head.upgrade >= 0)
    out.text(`Connection: Upgrade\r\nUpgrade: ${head.fields.value(bytes, head.upgrade)}\r\n`);
  else if (rewrite.close) out.text("Connection: close\r\n");
  out.text("\r\n");
}

/** What a trusted peer has said of the client itself. */
interface Said {
  names: string[];
  forwardedFor: string;
}

/** Copies the fields that pass, whole runs of lines at once. Returns what a trusted peer said; undefined for all others. */
function copyFields(
  out: ByteWriter,
  bytes: Buffer,
  head: RequestHead,
  rewrite: RequestRewrite,
): Said | undefined {
  const { fields } = head;
  const said: Said | undefined = rewrite.peer.trusted ? { names: [], forwardedFor: "" } : undefined;
  let from = -1;
  let to = -1;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind[i]!;
    let pass = kind === Kind.other || kind === Kind.contentLength || kind === Kind.setCookie;
    if (kind === Kind.cookie) pass = passCookie(out, bytes, head, i, rewrite.ownCookies);
    else if (kind === Kind.expect) pass = head.expectContinue;
    else if (said !== undefined) pass ||= noteSaid(said, bytes, head, i);
    if (pass && head.connectionNames.length > 0) pass = !namedByConnection(bytes, head, i);
    if (!pass) continue;
    if (fields.nameStart[i] !== to) {
      out.copy(bytes, from, to);
      from = fields.nameStart[i]!;
    }
    to = fields.lineEnd[i]!;
  }
  out.copy(bytes, from, to);
  return said;
}

/** Keeps in mind what a trusted peer says of the client. True: the field passes as it is. */
function noteSaid(said: Said, bytes: Buffer, head: RequestHead, i: number): boolean {
  const kind = head.fields.kind[i];
  if (kind === Kind.forwardedFor) said.forwardedFor += `${head.fields.value(bytes, i)}, `;
  if (kind !== Kind.clientFact && kind !== Kind.requestId) return false;
  said.names.push(head.fields.name(bytes, i));
  return true;
}

/** A Cookie field without ours passes as it is; otherwise what is left of it is written at once. */
function passCookie(
  out: ByteWriter,
  bytes: Buffer,
  head: RequestHead,
  i: number,
  own: ReadonlySet<string>,
): boolean {
  const value = head.fields.value(bytes, i);
  const kept = withoutOwnCookies(value, own);
  if (kept === value) return true;
  if (kept !== "") out.text(`Cookie: ${kept}\r\n`);
  return false;
}

function namedByConnection(bytes: Buffer, head: RequestHead, i: number): boolean {
  const name = head.fields.name(bytes, i);
  return head.connectionNames.includes(name) && !PROTECTED.test(name);
}

type Fact = [name: string, value: string];

function factsOf(peer: Peer, host: string): Fact[] {
  const scheme = peer.secure ? "https" : "http";
  const node = peer.address.includes(":") ? `"[${peer.address}]"` : peer.address;
  return [
    ["X-Forwarded-Proto", scheme],
    ["X-Forwarded-Host", host],
    ["X-Real-IP", peer.address],
    ["Forwarded", `for=${node};host="${host}";proto=${scheme}`],
  ];
}

/** What a trusted peer has not said, and its chain of addresses with its own at the end. */
function supplement(peer: Peer, host: string, requestId: string, said: Said): string {
  const facts: Fact[] = [...factsOf(peer, host), ["X-Request-ID", requestId]];
  const missing = facts.filter(([name]) => !said.names.includes(name.toLowerCase()));
  return linesOf([...missing, ["X-Forwarded-For", said.forwardedFor + peer.address]]);
}

function linesOf(facts: Fact[]): string {
  return facts.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
