import type { ByteWriter } from "./byte-writer.ts";

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

/**
 * Appends one line of JSON, with its end. Method, host, address, error and TLS version hold nothing to escape by their
 * nature. Lines of one app are much alike: what is the same as in the last one is not put into words again.
 */
export function writeJsonLine(out: ByteWriter, facts: AccessFacts): void {
  writeTime(out, facts.at);
  out.text(',"request_id":"');
  out.text(escaped(facts.requestId));
  out.add(aboutClient(facts));
  out.text(escaped(facts.target));
  out.text('","status":');
  out.number(facts.status);
  out.text(',"bytes_in":');
  out.number(facts.bytesIn);
  out.text(',"bytes_out":');
  out.number(facts.bytesOut);
  out.text(',"duration_ms":');
  writeMilliseconds(out, facts.durationMs);
  out.text(',"first_byte_ms":');
  if (facts.firstByteMs === undefined) out.text("null");
  else writeMilliseconds(out, facts.firstByteMs);
  out.add(aboutAnswer(facts));
}

/** Appends one line as Apache's combined format has it, with its end. */
export function writeCombinedLine(out: ByteWriter, facts: AccessFacts): void {
  out.text(facts.remoteAddress);
  out.text(" - - [");
  out.text(wordsFor(facts.at).common);
  out.text('] "');
  out.text(quoted(facts.method));
  out.text(" ");
  out.text(quoted(facts.target));
  out.text(" HTTP/1.");
  out.number(facts.minorVersion);
  out.text('" ');
  out.number(facts.status);
  out.text(" ");
  out.number(facts.bytesOut);
  out.text(` "${quoted(facts.referer) || "-"}" "${quoted(facts.userAgent) || "-"}"\n`);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The last second asked for, as both formats say it; of JSON the line up to the fraction of the second. */
const second = { number: -1, json: Buffer.alloc(0), common: "" };

function wordsFor(at: number): typeof second {
  const number = Math.floor(at / 1000);
  if (number === second.number) return second;
  second.number = number;
  const iso = new Date(number * 1000).toISOString().slice(0, 20);
  second.json = Buffer.from(`{"time":"${iso}`);
  const [year, month, day, time] = iso.split(/[-T.]/) as [string, string, string, string];
  second.common = `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
  return second;
}

function writeTime(out: ByteWriter, at: number): void {
  out.add(wordsFor(at).json);
  out.number(at % 1000, 3);
  out.text('Z"');
}

/** As JavaScript writes the number, to the microsecond. */
function writeMilliseconds(out: ByteWriter, ms: number): void {
  const microseconds = Math.round(ms * 1000);
  out.number(Math.floor(microseconds / 1000));
  let fraction = microseconds % 1000;
  if (fraction === 0) return;
  let digits = 3;
  for (; fraction % 10 === 0; digits--) fraction /= 10;
  out.text(".");
  out.number(fraction, digits);
}

const client = { remoteAddress: "", method: "", host: "", words: Buffer.alloc(0) };

/** From the address up to the path's value. */
function aboutClient({ remoteAddress, method, host }: AccessFacts): Uint8Array {
  if (client.remoteAddress !== remoteAddress || client.method !== method || client.host !== host) {
    Object.assign(client, { remoteAddress, method, host });
    client.words = Buffer.from(
      `","remote_address":"${remoteAddress}","method":"${method}","host":"${host}","path":"`,
      "latin1",
    );
  }
  return client.words;
}

const answer = {
  instance: "",
  release: -1,
  userAgent: "",
  referer: "",
  error: "",
  tls: "",
  words: Buffer.alloc(0),
};

/** From the instance to the line's end. */
function aboutAnswer({ instance, release, userAgent, referer, error, tls }: AccessFacts): Uint8Array {
  if (
    answer.instance !== instance ||
    answer.release !== release ||
    answer.userAgent !== userAgent ||
    answer.referer !== referer ||
    answer.error !== error ||
    answer.tls !== tls
  ) {
    Object.assign(answer, { instance, release, userAgent, referer, error, tls });
    const by = `"instance":${orNull(instance)},"release":${instance === "" ? "null" : release}`;
    const browser = `"user_agent":${orNull(userAgent)},"referer":${orNull(referer)}`;
    answer.words = Buffer.from(
      `,${by},${browser},"error":${orNull(error)},"tls":${orNull(tls)}}\n`,
      "latin1",
    );
  }
  return answer.words;
}

function orNull(text: string): string {
  return text === "" ? "null" : `"${escaped(text)}"`;
}

/** All but visible ASCII: what could end a line, forge another, or move the cursor of a terminal. */
const SPECIALS = /[^\x20-\x7e]|["\\]/g;

/** Whether there is anything of SPECIALS in it: most texts are short, and then a loop beats the expression. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c > 0x7e || c === 0x22 || c === 0x5c) return false;
  }
  return true;
}

/** For between the quotes of JSON. */
function escaped(text: string): string {
  return isPlain(text) ? text : text.replace(SPECIALS, escapeJson);
}

function escapeJson(c: string): string {
  return c === '"' || c === "\\" ? `\\${c}` : `\\u${hex(c, 4)}`;
}

function quoted(text: string): string {
  return isPlain(text) ? text : text.replace(SPECIALS, (c) => `\\x${hex(c, 2)}`);
}

function hex(c: string, digits: number): string {
  return c.charCodeAt(0).toString(16).padStart(digits, "0");
}
