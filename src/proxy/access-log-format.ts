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

/** One line of JSON, with its end. Method, host, address, error and TLS version hold nothing to escape by their nature. */
export function jsonLine(facts: AccessFacts): string {
  const { firstByteMs, instance } = facts;
  const who = `"request_id":${json(facts.requestId)},"remote_address":"${facts.remoteAddress}"`;
  const what = `"method":"${facts.method}","host":"${facts.host}","path":${json(facts.target)},"status":${facts.status}`;
  const bytes = `"bytes_in":${facts.bytesIn},"bytes_out":${facts.bytesOut}`;
  const first = firstByteMs === undefined ? "null" : milliseconds(firstByteMs);
  const times = `"duration_ms":${milliseconds(facts.durationMs)},"first_byte_ms":${first}`;
  const release = instance === "" ? "null" : facts.release;
  const by = `"instance":${orNull(instance)},"release":${release}`;
  const client = `"user_agent":${orNull(facts.userAgent)},"referer":${orNull(facts.referer)}`;
  const end = `"error":${facts.error === "" ? "null" : `"${facts.error}"`},"tls":${facts.tls === "" ? "null" : `"${facts.tls}"`}`;
  return `{"time":"${isoTime(facts.at)}",${who},${what},${bytes},${times},${by},${client},${end}}\n`;
}

/** One line as Apache's combined format has it, with its end. */
export function combinedLine(facts: AccessFacts): string {
  const request = `${quoted(facts.method)} ${quoted(facts.target)} HTTP/1.${facts.minorVersion}`;
  const texts = `"${quoted(facts.referer) || "-"}" "${quoted(facts.userAgent) || "-"}"`;
  return `${facts.remoteAddress} - - [${secondOf(facts.at).common}] "${request}" ${facts.status} ${facts.bytesOut} ${texts}\n`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The last second asked for in both forms: the first up to the point before its fraction. */
const last = { second: -1, iso: "", common: "" };

function secondOf(at: number): typeof last {
  const second = Math.floor(at / 1000);
  if (second === last.second) return last;
  last.second = second;
  last.iso = new Date(second * 1000).toISOString().slice(0, 20);
  const [year, month, day, time] = last.iso.split(/[-T.]/) as [string, string, string, string];
  last.common = `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
  return last;
}

function isoTime(at: number): string {
  return `${secondOf(at).iso}${String(at % 1000).padStart(3, "0")}Z`;
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
