import type { SiteRedirect } from "../../proxy/protocol.ts";
import type { ParsedRules } from "./headers-file.ts";
import { decodedPath, patternFault, placeholders, SITE_RULES } from "./path-pattern.ts";

const STATUS: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308, 404]);

/**
 * Reads a `_redirects` file: `from to [status][!]` a line, status 301 when there is none, `!` to win over a file that
 * exists, `#` for comments. Never throws: a line that cannot be used is left out and told.
 */
export function parseRedirects(text: string): ParsedRules<SiteRedirect> {
  const rules: SiteRedirect[] = [];
  const warnings: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const words = wordsOf(raw);
    if (words.length === 0) continue;
    const rule = rules.length >= SITE_RULES ? `more than ${SITE_RULES} rules` : ruleOf(words);
    if (typeof rule === "string") warnings.push(`_redirects line ${index + 1}: ${rule}`);
    else rules.push(rule);
  }
  return { rules, warnings };
}

/** Up to the comment, which begins with a word of its own: `/page#part` is none. */
function wordsOf(line: string): string[] {
  const words = line
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  const comment = words.findIndex((word) => word.startsWith("#"));
  return comment < 0 ? words : words.slice(0, comment);
}

/** The rule, or why there is none. */
function ruleOf([from = "", ...rest]: string[]): SiteRedirect | string {
  const fault = patternFault(from);
  if (fault) return fault;
  const [to, code, ...conditions] = rest;
  if (to === undefined) return "no target";
  if (/^[A-Za-z_]\w*=/.test(to)) return "query parameters are not matched";
  if (conditions.length > 0 || (code !== undefined && /^[A-Za-z_]\w*=/.test(code)))
    return "conditions (country, language, role) are not matched";
  const status = /^(\d{3})(!?)$/.exec(code ?? "301");
  if (!status) return `"${code}" is no status`;
  const number = Number(status[1]);
  if (!STATUS.has(number)) return `status ${number} is not one of ${[...STATUS].join(", ")}`;
  const target = targetOf(from, to, number);
  if ("fault" in target) return target.fault;
  return {
    from: decodedPath(from) as string,
    to: target.to,
    status: number as SiteRedirect["status"],
    force: status[2] === "!",
  };
}

/** A Location goes out as ASCII, encoded; the file at a path is found by its decoded name. */
function targetOf(from: string, to: string, status: number): { to: string } | { fault: string } {
  const absolute = /^https?:\/\//i.test(to);
  if (!absolute && !to.startsWith("/"))
    return { fault: "the target is neither a path nor an http(s) address" };
  if (to.startsWith("//")) return { fault: "the target has no scheme" };
  if (absolute && (/^https?:\/\/\//i.test(to) || !URL.canParse(to.replace(/:[A-Za-z]\w*/g, "x"))))
    return { fault: "the target is no address" };
  // What a stranger asks for would choose the host: `https://b.example:splat` may end in `.evil.example`.
  if (/^https?:\/\/[^/]*:[A-Za-z]/i.test(to)) return { fault: "the target has a placeholder in its host" };
  const isFile = status === 200 || status === 404;
  if (absolute && isFile)
    return { fault: `status ${status} serves a file of the site; it does not fetch from elsewhere` };
  const missing = missingName(from, to);
  if (missing) return { fault: `the target uses :${missing}, which the path does not have` };
  if (!isFile)
    return withoutSlash(to) === withoutSlash(from) ? { fault: "it leads to itself" } : { to: asciiUrl(to) };
  const decoded = decodedPath(to.replace(/[?#].*$/, ""));
  return decoded === null ? { fault: "the % encoding of the target is damaged" } : { to: decoded };
}

/** A slash at the end makes no difference to what a rule matches. */
function withoutSlash(path: string): string {
  return path.replace(/\/$/, "");
}

function missingName(from: string, to: string): string | undefined {
  const known = new Set([...placeholders(from), ...(from.includes("*") ? ["splat"] : [])]);
  return [...to.replace(/^https?:\/\/[^/]*/i, "").matchAll(/[/=]:([A-Za-z]\w*)/g)]
    .map((match) => match[1] as string)
    .find((name) => !known.has(name));
}

/** What is encoded already stays as it is. */
function asciiUrl(to: string): string {
  return to.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text));
}
