import { FOLD } from "./byte-class.ts";

/** What the proxy has to know about a header field. `other` is passed on untouched. */
export const Kind = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  cookie: 7,
  setCookie: 8,
  /** Concerns one connection only (RFC 9110 section 7.6.1): never passed on. */
  hop: 9,
  /** Says who the client is: X-Forwarded-*, Forwarded, X-Real-IP. Ours unless the peer is trusted. */
  clientFact: 10,
  forwardedFor: 11,
  requestId: 12,
  probe: 13,
  /** X-Diplo-*: only the proxy itself says these. */
  diplo: 14,
  /** Looks like a framing field to somebody, but is none: `Content_Length`, `Transfer--Encoding`. */
  lookalike: 15,
} as const;

const NAMES: [string, number][] = [
  ["host", Kind.host],
  ["connection", Kind.connection],
  ["content-length", Kind.contentLength],
  ["transfer-encoding", Kind.transferEncoding],
  ["upgrade", Kind.upgrade],
  ["expect", Kind.expect],
  ["cookie", Kind.cookie],
  ["set-cookie", Kind.setCookie],
  ["keep-alive", Kind.hop],
  ["proxy-connection", Kind.hop],
  ["proxy-authenticate", Kind.hop],
  ["proxy-authorization", Kind.hop],
  ["te", Kind.hop],
  ["http2-settings", Kind.hop],
  ["forwarded", Kind.clientFact],
  ["x-real-ip", Kind.clientFact],
  ["x-forwarded-for", Kind.forwardedFor],
  ["x-request-id", Kind.requestId],
  ["x-diplo-probe", Kind.probe],
];

interface Candidate {
  bytes: Uint8Array;
  kind: number;
}

// Bucket = length and first letter: nearly every field of a request falls into an empty one.
const BUCKETS: (Candidate[] | undefined)[] = new Array(64 * 32).fill(undefined);
for (const [name, kind] of NAMES) {
  const index = name.length * 32 + (name.charCodeAt(0) & 31);
  BUCKETS[index] = [...(BUCKETS[index] ?? []), { bytes: Buffer.from(name), kind }];
}

const X_FORWARDED = Buffer.from("x-forwarded-");
const X_DIPLO = Buffer.from("x-diplo-");
const LETTER_X = 0x78;

/** Kind of the field whose name is `bytes[start..end)`; the name consists of token characters already. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start]! | 0x20;
  if (length < 64) {
    const bucket = BUCKETS[length * 32 + (first & 31)];
    if (bucket !== undefined)
      for (const candidate of bucket)
        if (foldedEqual(bytes, start, candidate.bytes, length))
          return exact(bytes, start, end, candidate.kind);
  }
  if (first === LETTER_X) {
    if (length > 12 && foldedEqual(bytes, start, X_FORWARDED, 12)) return Kind.clientFact;
    if (length > 8 && foldedEqual(bytes, start, X_DIPLO, 8)) return Kind.diplo;
  }
  return length >= 13 && isLookalike(bytes, start, end) ? Kind.lookalike : Kind.other;
}

function exact(bytes: Uint8Array, start: number, end: number, kind: number): number {
  if (kind !== Kind.contentLength && kind !== Kind.transferEncoding) return kind;
  for (let i = start; i < end; i++) if (bytes[i] === 0x5f) return Kind.lookalike;
  return kind;
}

function foldedEqual(bytes: Uint8Array, start: number, name: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (FOLD[bytes[start + i]!] !== name[i]) return false;
  return true;
}

/** `content-length` or `transfer-encoding` once everything but letters is taken away. */
function isLookalike(bytes: Uint8Array, start: number, end: number): boolean {
  const first = FOLD[bytes[start]!]!;
  const last = FOLD[bytes[end - 1]!]!;
  const mayStart = first === 0x63 || first === 0x74 || first < 0x61 || first > 0x7a;
  const mayEnd = last === 0x67 || last === 0x68 || last < 0x61 || last > 0x7a;
  if (!mayStart || !mayEnd) return false;
  let letters = "";
  for (let i = start; i < end; i++) {
    const c = FOLD[bytes[i]!]!;
    if (c >= 0x61 && c <= 0x7a) letters += String.fromCharCode(c);
  }
  return letters === "contentlength" || letters === "transferencoding";
}
