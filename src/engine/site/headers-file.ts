import type { SiteHeaders } from "../../proxy/protocol.ts";
import { decodedPath, patternFault } from "./path-pattern.ts";

export interface ParsedRules<T> {
  rules: T[];
  /** Lines that cannot be used, each with its number and why. */
  warnings: string[];
}

const MAX_RULES = 1000;
const MAX_VALUE = 4096;
/** RFC 9110, 5.1: a field name is a token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Framing, validators, and what the server says of itself: a file must not contradict the answer it is part of. */
const OURS =
  /^(accept-ranges|connection|content-encoding|content-length|content-range|date|etag|keep-alive|last-modified|location|proxy-.*|set-cookie2?|te|trailer|transfer-encoding|upgrade|x-diplo-.*)$/i;

/**
 * Reads a `_headers` file: an unindented path, below it indented `Name: value` lines, `! Name` to take an earlier
 * rule's header away, `#` for comments. Never throws: a line that cannot be used is left out and told.
 */
export function parseHeaders(text: string): ParsedRules<SiteHeaders> {
  const rules: SiteHeaders[] = [];
  const warnings: string[] = [];
  let current: SiteHeaders | null = null;
  const warn = (number: number, why: string) => warnings.push(`_headers line ${number}: ${why}`);
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (isPath(raw)) {
      const fault = rules.length >= MAX_RULES ? `more than ${MAX_RULES} rules` : patternFault(line);
      // What belongs to a path that cannot be used must not fall to the path before it.
      current = { path: decodedPath(line) ?? line, set: [], remove: [] };
      if (fault) warn(index + 1, fault);
      else rules.push(current);
      continue;
    }
    const fault = current === null ? "a header before any path" : addHeader(current, line);
    if (fault) warn(index + 1, fault);
  }
  return { rules: rules.filter(({ set, remove }) => set.length + remove.length > 0), warnings };
}

function isPath(raw: string): boolean {
  return /^(\/|https?:\/\/)/i.test(raw);
}

/** Answers why the line cannot be used; null when the rule has it now. */
function addHeader(rule: SiteHeaders, line: string): string | null {
  if (line.startsWith("!")) {
    const name = line.slice(1).trim();
    if (!NAME.test(name)) return "no name of a header after !";
    rule.remove.push(name);
    return null;
  }
  const colon = line.indexOf(":");
  if (colon < 1) return "neither a path nor `Name: value`";
  return setHeader(rule, line.slice(0, colon).trim(), line.slice(colon + 1).trim());
}

/** Adds one header to a rule; answers why it cannot be used, or null. */
export function setHeader(rule: SiteHeaders, name: string, value: string): string | null {
  if (!NAME.test(name)) return "no name of a header before the colon";
  if (OURS.test(name)) return `${name} is set by the server itself`;
  // RFC 9110, 5.5: visible characters, spaces and tabs; bytes beyond ASCII mean something else to everybody.
  if (!/^[\t\x20-\x7e]*$/.test(value)) return `the value of ${name} has characters that headers cannot carry`;
  if (value === "") return `${name} has no value`;
  if (value.length > MAX_VALUE) return `the value of ${name} is longer than ${MAX_VALUE} characters`;
  rule.set.push([name, value]);
  return null;
}
