import type { ByteWriter } from "./byte-writer.ts";
import { Kind } from "./field-kind.ts";
import { withoutOwnCookies } from "./own-cookies.ts";
import type { RequestHead } from "./request-head.ts";

/** Who is on the other end of a client connection. */
export interface Peer {
  address: string;
  /** Its X-Forwarded-* are believed (settings.trusted_proxies). */
  trusted: boolean;
  secure: boolean;
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
  const had = copyFields(out, bytes, head, rewrite);
  const { peer } = rewrite;
  out.text(clientFacts(peer, head.authority.text, had.facts));
  out.text(`X-Forwarded-For: ${had.forwardedFor}${peer.address}\r\n`);
  if (!had.requestId) out.text(`X-Request-ID: ${rewrite.requestId}\r\n`);
  if (head.framing === "chunked") out.text("Transfer-Encoding: chunked\r\n");
  if (head.upgrade >= 0)
    out.text(`Connection: Upgrade\r\nUpgrade: ${head.fields.value(bytes, head.upgrade)}\r\n`);
  else if (rewrite.close) out.text("Connection: close\r\n");
  out.text("\r\n");
}

/** Copies the fields that pass, whole runs of lines at once, and tells what a trusted peer has said already. */
function copyFields(out: ByteWriter, bytes: Buffer, head: RequestHead, rewrite: RequestRewrite) {
  const { fields } = head;
  const { trusted } = rewrite.peer;
  const had = { facts: [] as string[], requestId: false, forwardedFor: "" };
  let from = -1;
  let to = -1;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind[i]!;
    let pass = kind === Kind.other || kind === Kind.contentLength;
    if (kind === Kind.cookie) pass = passCookie(out, bytes, head, i, rewrite.ownCookies);
    else if (kind === Kind.setCookie) pass = true;
    else if (kind === Kind.expect) pass = head.expectContinue;
    else if (trusted && kind === Kind.clientFact) pass = had.facts.push(fields.name(bytes, i)) > 0;
    else if (trusted && kind === Kind.requestId) pass = had.requestId = true;
    else if (kind === Kind.forwardedFor && trusted) had.forwardedFor += `${fields.value(bytes, i)}, `;
    if (pass && head.connectionNames.length > 0) pass = !namedByConnection(bytes, head, i);
    if (!pass) continue;
    if (fields.nameStart[i] !== to) {
      out.copy(bytes, from, to);
      from = fields.nameStart[i]!;
    }
    to = fields.lineEnd[i]!;
  }
  out.copy(bytes, from, to);
  return had;
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

/** What the app is told about its client; `had`: names that a trusted peer has said itself. */
function clientFacts(peer: Peer, host: string, had: string[]): string {
  const scheme = peer.secure ? "https" : "http";
  const node = peer.address.includes(":") ? `"[${peer.address}]"` : peer.address;
  const facts: [string, string][] = [
    ["X-Forwarded-Proto", scheme],
    ["X-Forwarded-Host", host],
    ["X-Real-IP", peer.address],
    ["Forwarded", `for=${node};host="${host}";proto=${scheme}`],
  ];
  const own = had.length === 0 ? facts : facts.filter(([name]) => !had.includes(name.toLowerCase()));
  return own.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
