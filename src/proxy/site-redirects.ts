import { fillIn, type Matched, PathPattern, withoutSlash } from "./path-pattern.ts";
import type { SiteRedirect } from "./protocol.ts";

interface Rule extends SiteRedirect {
  pattern: PathPattern;
  /** Its place among all: the first that matches wins. */
  place: number;
}

/** A rule that applies to a path. */
export interface Redirection {
  status: SiteRedirect["status"];
  /** For 200 and 404 the decoded path of a file; else what Location says, without the request's query. */
  to: string;
}

/** The rules of one site's `_redirects`. Those without wildcards cost one look-up together. */
export class RedirectRules {
  private readonly all: RuleList;
  private readonly forced: RuleList;

  constructor(rules: readonly SiteRedirect[]) {
    const ready = rules.map((rule, place) => ({ ...rule, pattern: new PathPattern(rule.from), place }));
    this.all = new RuleList(ready);
    this.forced = new RuleList(ready.filter(({ force }) => force));
  }

  /** The rule for this decoded path; `exists`: the site has an answer of its own, which only forced rules replace. */
  find(path: string, exists: boolean): Redirection | undefined {
    const found = (exists ? this.forced : this.all).find(path);
    if (found === undefined) return undefined;
    const { rule, matched } = found;
    if (rule.status === 200 || rule.status === 404)
      return { status: rule.status, to: fillIn(rule.to, matched, (value) => value) };
    const to = fillIn(rule.to, matched, encodePath);
    // What came of the request must not make another host of it: `//host` and `/\host` are addresses (RFC 3986 4.2).
    return { status: rule.status, to: rule.to.startsWith("/") ? to.replace(/^[/\\]+/, "/") : to };
  }
}

class RuleList {
  private readonly exact = new Map<string, Rule>();
  private readonly patterns: Rule[] = [];

  constructor(rules: Rule[]) {
    for (const rule of rules) {
      const { exact } = rule.pattern;
      if (exact === undefined) this.patterns.push(rule);
      else if (!this.exact.has(exact)) this.exact.set(exact, rule);
    }
  }

  find(path: string): { rule: Rule; matched: Matched } | undefined {
    const exact = this.exact.size === 0 ? undefined : this.exact.get(withoutSlash(path));
    for (const rule of this.patterns) {
      if (exact !== undefined && exact.place < rule.place) break;
      const matched = rule.pattern.match(path);
      if (matched !== undefined) return { rule, matched };
    }
    return exact === undefined ? undefined : { rule: exact, matched: {} };
  }
}

/** Each segment for itself, so that no `?`, `#` or line end of the request means anything in Location. */
function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
