import type { ByteWriter } from "./byte-writer.ts";
import { Kind } from "./field-kind.ts";
import type { OwnCookies } from "./own-cookies.ts";
import { type Peer, saying } from "./peer.ts";
import type { RequestHead } from "./request-head.ts";

export interface RequestRewrite {
  peer: Peer;
  /** Path for the app where it is not the client's: the route's prefix is taken away. */
  path: string | undefined;
  /** In ASCII. */
  requestId: Uint8Array;
  ownCookies: OwnCookies;
  /** Ask the app to close the connection after its answer. */
  close: boolean;
}

const CRLF = Buffer.from("\r\n");

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
  const { peer } = rewrite;
  const host = head.authority.text;
  if (rewrite.path === undefined && head.lineEnd > 0) out.copy(bytes, head.lineStart, head.lineEnd);
  else out.text(`${head.method} ${rewrite.path ?? head.path}${head.query} HTTP/1.1\r\n`);
  if (peer.trusted) {
    out.text(`Host: ${host}\r\n`);
    const said = copyFields(out, bytes, head, rewrite);
    out.text(supplement(peer, host, Buffer.from(rewrite.requestId).toString(), said));
  } else {
    out.add(peer.origin.factsFor(host, peer.secure));
    out.add(rewrite.requestId);
    out.add(CRLF);
    copyFields(out, bytes, head, rewrite);
  }
  if (head.framing === "chunked") out.text("Transfer-Encoding: chunked\r\n");
  if (head.upgrade >= 0)
    out.text(`Connection: Upgrade\r\nUpgrade: ${head.fields.value(bytes, head.upgrade)}\r\n`);
  else if (rewrite.close) out.text("Connection: close\r\n");
  out.add(CRLF);
}

/** What a trusted peer has said of the client itself. */
interface Said {
  names: string[];
  forwardedFor: string;
}

const NOTHING_SAID: Said = { names: [], forwardedFor: "" };

/** Copies the fields that pass, whole runs of lines at once. Returns what the peer said, if it is a trusted one. */
function copyFields(out: ByteWriter, bytes: Buffer, head: RequestHead, rewrite: RequestRewrite): Said {
  const { fields } = head;
  const { trusted } = rewrite.peer;
  const said = trusted ? { names: [], forwardedFor: "" } : NOTHING_SAID;
  let from = -1;
  let to = -1;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind[i]!;
    let pass = kind === Kind.other || kind === Kind.contentLength || kind === Kind.setCookie;
    if (kind === Kind.cookie) pass = passCookie(out, bytes, head, i, rewrite.ownCookies);
    else if (kind === Kind.expect) pass = head.expectContinue;
    else if (trusted) pass ||= noteSaid(said, bytes, head, i);
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
function passCookie(out: ByteWriter, bytes: Buffer, head: RequestHead, i: number, own: OwnCookies): boolean {
  const value = head.fields.value(bytes, i);
  const kept = own.without(value);
  if (kept === value) return true;
  if (kept !== "") out.text(`Cookie: ${kept}\r\n`);
  return false;
}

function namedByConnection(bytes: Buffer, head: RequestHead, i: number): boolean {
  const name = head.fields.name(bytes, i);
  return head.connectionNames.includes(name) && !PROTECTED.test(name);
}

/** What a trusted peer has not said, and its chain of addresses with its own at the end. */
function supplement({ address, secure }: Peer, host: string, requestId: string, said: Said): string {
  const { scheme, forwarded } = saying(address, secure, host);
  const facts: [name: string, value: string][] = [
    ["X-Forwarded-Proto", scheme],
    ["X-Forwarded-Host", host],
    ["X-Real-IP", address],
    ["Forwarded", forwarded],
    ["X-Request-ID", requestId],
  ];
  const missing = facts.filter(([name]) => !said.names.includes(name.toLowerCase()));
  const all = [...missing, ["X-Forwarded-For", said.forwardedFor + address]];
  return all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
