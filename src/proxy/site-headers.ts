import { PathPattern } from "./path-pattern.ts";
import type { SiteHeaders } from "./protocol.ts";

/** What the rules of `_headers` make of one path. Equal outcomes are one object. */
export interface HeaderSet {
  /** By lower-case name: each becomes a line of its own. */
  readonly lines: ReadonlyMap<string, { name: string; value: string }>;
}

export const NO_HEADERS: HeaderSet = { lines: new Map() };

/** One value at most makes sense: the rule that comes last has the word. Others are lists and get longer. */
const SINGLE = new Set([
  "access-control-allow-credentials",
  "access-control-allow-origin",
  "access-control-max-age",
  "cache-control",
  "content-disposition",
  "content-type",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "expires",
  "referrer-policy",
  "refresh",
  "retry-after",
  "strict-transport-security",
  "x-content-type-options",
  "x-frame-options",
  "x-robots-tag",
]);

/** What the data plane alone says: framing, validators, the connection, its own words. No cookies: all get the same. */
const OURS =
  /^(accept-ranges|connection|content-(encoding|length|range)|date|etag|keep-alive|last-modified|location|proxy-.*|set-cookie2?|te|trailer|transfer-encoding|upgrade|x-diplo-.*)$/;

const REMEMBERED = 1_000;

/** The rules of one site's `_headers`, with a bounded memory of what they said of which path. */
export class HeaderRules {
  private readonly rules: (SiteHeaders & { pattern: PathPattern })[];
  private readonly sets = new Map<string, HeaderSet>();
  private readonly known = new Map<string, HeaderSet>();

  constructor(rules: readonly SiteHeaders[]) {
    this.rules = rules.map((rule) => ({ ...rule, pattern: new PathPattern(rule.path) }));
  }

  /** What goes with the answer to this decoded path. */
  for(path: string): HeaderSet {
    if (this.rules.length === 0) return NO_HEADERS;
    const known = this.known.get(path);
    if (known !== undefined) return known;
    const set = this.apply(path);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(path, set);
    return set;
  }

  private apply(path: string): HeaderSet {
    const matching = this.rules.filter(({ pattern }) => pattern.match(path) !== undefined);
    const key = matching.map((rule) => this.rules.indexOf(rule)).join();
    let set = this.sets.get(key);
    if (set === undefined) {
      set = matching.length === 0 ? NO_HEADERS : { lines: linesOf(matching) };
      if (this.sets.size >= REMEMBERED) this.sets.clear();
      this.sets.set(key, set);
    }
    return set;
  }
}

function linesOf(rules: readonly SiteHeaders[]): HeaderSet["lines"] {
  const lines = new Map<string, { name: string; value: string }>();
  for (const rule of rules) {
    for (const name of rule.remove) lines.delete(name.toLowerCase());
    for (const [name, value] of rule.set) {
      const key = name.toLowerCase();
      if (OURS.test(key)) continue;
      const line = lines.get(key);
      if (line === undefined || SINGLE.has(key)) lines.set(key, { name, value });
      else line.value += `, ${value}`;
    }
  }
  return lines;
}
