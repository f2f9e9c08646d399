import type { ByteWriter } from "./byte-writer.ts";
import { Kind } from "./field-kind.ts";
import type { OwnCookies } from "./own-cookies.ts";
import type { ResponseHead } from "./response-head.ts";

export interface ResponseRewrite {
  ownCookies: OwnCookies;
  /** Write `Transfer-Encoding: chunked`. */
  chunked: boolean;
  connection: "" | "close" | "keep-alive";
  /** Tell which instance answered: only for a request with the probe's secret. */
  instance: string | undefined;
  /** A whole Set-Cookie line of the proxy's own, or empty. */
  cookie: string;
}

const CRLF = Buffer.from("\r\n");
const FRAMING = /^(content-length|transfer-encoding|set-cookie)$/;

/** Writes the head that a client gets for an app's `head`, which was parsed from `bytes`. */
export function writeResponseHead(
  out: ByteWriter,
  bytes: Buffer,
  head: ResponseHead,
  rewrite: ResponseRewrite,
): void {
  copyLines(out, bytes, head, rewrite.ownCookies);
  if (rewrite.chunked) out.text("Transfer-Encoding: chunked\r\n");
  if (rewrite.cookie !== "") out.text(rewrite.cookie);
  if (rewrite.instance !== undefined) out.text(`X-Diplo-Instance: ${rewrite.instance}\r\n`);
  if (head.status === 101) out.text("Connection: Upgrade\r\n");
  else if (rewrite.connection !== "") out.text(`Connection: ${rewrite.connection}\r\n`);
  out.add(CRLF);
}

/** The status line and the fields that pass: whole runs of lines at once, mostly a single one. */
function copyLines(out: ByteWriter, bytes: Buffer, head: ResponseHead, own: OwnCookies): void {
  const { fields, lineStart, reasonStart, reasonEnd } = head;
  // "HTTP/1.1 200" and a space: only an older version, or a missing space, is written anew.
  const asItCame = head.minorVersion === 1 && reasonStart - lineStart === 13;
  if (!asItCame) out.text(`HTTP/1.1 ${head.status} `);
  let from = asItCame ? lineStart : reasonStart;
  let to = reasonEnd + 2;
  for (let i = 0; i < fields.count; i++) {
    if (!passes(bytes, head, i, own)) continue;
    if (fields.nameStart[i] !== to) {
      out.copy(bytes, from, to);
      from = fields.nameStart[i]!;
    }
    to = fields.lineEnd[i]!;
  }
  out.copy(bytes, from, to);
}

function passes(bytes: Buffer, head: ResponseHead, i: number, own: OwnCookies): boolean {
  const { fields } = head;
  if (head.connectionNames.length > 0) {
    const name = fields.name(bytes, i);
    if (head.connectionNames.includes(name) && !FRAMING.test(name)) return false;
  }
  switch (fields.kind[i]) {
    case Kind.other:
    case Kind.cookie:
    case Kind.host:
    case Kind.expect:
    case Kind.clientFact:
    case Kind.forwardedFor:
    case Kind.requestId:
      return true;
    case Kind.setCookie:
      return !own.isSetBy(fields.value(bytes, i));
    case Kind.upgrade:
      return head.status === 101 || head.status === 426;
    // No body and no length with these (RFC 9110 section 8.6); a chunked answer was refused with one before.
    case Kind.contentLength:
      return head.status >= 200 && head.status !== 204;
    default:
      return false;
  }
}
