/** What an access log says of one request. Texts as they came, as Latin-1 of the bytes. */
export interface AccessFacts {
  /** When the answer ended, in ms since the epoch. */
  at: number;
  requestId: string;
  remoteAddress: string;
  method: string;
  host: string;
  /** Path and query. */
  target: string;
  minorVersion: number;
  /** 499: the client went away before its answer was complete. */
  status: number;
  /** Of the contents, without heads. */
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
  /** Undefined: no byte of an answer was sent. */
  firstByteMs: number | undefined;
  /** Empty: none was found for it. */
  instance: string;
  release: number;
  userAgent: string;
  referer: string;
  /** Why the proxy answered itself; empty when it did not. */
  error: string;
  /** TLS version; empty without. */
  tls: string;
}

/** One line of JSON, with its end. */
export function jsonLine(facts: AccessFacts): string {
  const { status, bytesIn, bytesOut, firstByteMs } = facts;
  return `{"time":"${new Date(facts.at).toISOString()}","request_id":${json(facts.requestId)},"remote_address":${json(facts.remoteAddress)},"method":${json(facts.method)},"host":${json(facts.host)},"path":${json(facts.target)},"status":${status},"bytes_in":${bytesIn},"bytes_out":${bytesOut},"duration_ms":${milliseconds(
    facts.durationMs,
  )},"first_byte_ms":${firstByteMs === undefined ? "null" : milliseconds(firstByteMs)},"instance":${orNull(
    facts.instance,
  )},"release":${facts.instance === "" ? "null" : facts.release},"user_agent":${orNull(
    facts.userAgent,
  )},"referer":${orNull(facts.referer)},"error":${orNull(facts.error)},"tls":${orNull(facts.tls)}}\n`;
}

/** One line as Apache's combined format has it, with its end. */
export function combinedLine(facts: AccessFacts): string {
  const request = `${quoted(facts.method)} ${quoted(facts.target)} HTTP/1.${facts.minorVersion}`;
  const texts = `"${quoted(facts.referer) || "-"}" "${quoted(facts.userAgent) || "-"}"`;
  return `${facts.remoteAddress} - - [${commonTime(facts.at)}] "${request}" ${facts.status} ${facts.bytesOut} ${texts}\n`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `21/Nov/2026:11:35:37 +0000` */
function commonTime(at: number): string {
  const [year, month, day, time] = new Date(at).toISOString().split(/[-T.]/) as [
    string,
    string,
    string,
    string,
  ];
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}

function milliseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function orNull(text: string): string {
  return text === "" ? "null" : json(text);
}

/** All but visible ASCII: what could end a line, forge another, or move the cursor of a terminal. */
const SPECIAL = /[^\x20-\x7e]|["\\]/;
const SPECIALS = /[^\x20-\x7e]|["\\]/g;

function json(text: string): string {
  return SPECIAL.test(text) ? `"${text.replace(SPECIALS, escapeJson)}"` : `"${text}"`;
}

function escapeJson(c: string): string {
  return c === '"' || c === "\\" ? `\\${c}` : `\\u${hex(c, 4)}`;
}

function quoted(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, (c) => `\\x${hex(c, 2)}`) : text;
}

function hex(c: string, digits: number): string {
  return c.charCodeAt(0).toString(16).padStart(digits, "0");
}
