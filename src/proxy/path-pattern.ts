/** What a pattern's `:name`s and `*` (as `splat`) stood for. */
export type Matched = Record<string, string>;

const PLACEHOLDER = /^:[A-Za-z][A-Za-z0-9_]*$/;
const NOTHING: Matched = {};

/**
 * A path pattern of `_headers` and `_redirects`: `:name` stands for one segment, `*` for anything, once. A slash at the
 * end makes no difference, on either side, as where these files come from.
 */
export class PathPattern {
  /** Matches one path only, this one without its slash at the end; undefined when there are wildcards. */
  readonly exact: string | undefined;
  private readonly regex: RegExp | undefined;
  private readonly names: string[] = [];

  constructor(pattern: string) {
    if (!hasWildcard(pattern)) {
      this.exact = withoutSlash(pattern);
      return;
    }
    const segments = pattern.slice(1).split("/");
    const last = segments.length - 1;
    let source = "";
    for (const [i, segment] of segments.entries()) {
      if (segment === "*" && i === last && i > 0) source += `(?:/${this.group("splat", ".*")})?`;
      else if (segment !== "" || i < last) source += `/${this.segment(segment)}`;
    }
    this.regex = new RegExp(`^${source}/?$`, "s");
  }

  /** `path` is decoded. Undefined: does not match. */
  match(path: string): Matched | undefined {
    if (this.regex === undefined) return withoutSlash(path) === this.exact ? NOTHING : undefined;
    const match = this.regex.exec(path);
    if (match === null) return undefined;
    return Object.fromEntries(this.names.map((name, i) => [name, match[i + 1] ?? ""]));
  }

  private segment(segment: string): string {
    if (PLACEHOLDER.test(segment)) return this.group(segment.slice(1), "[^/]+");
    return segment
      .split("*")
      .map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
      .join(this.group("splat", ".*", segment.includes("*")));
  }

  private group(name: string, inner: string, used = true): string {
    if (used) this.names.push(name);
    return `(${inner})`;
  }
}

/** Whether it may be given to PathPattern: more than one `*` could take time that grows with a power of the path's length. */
export function isPathPattern(text: string): boolean {
  return text.indexOf("*") === text.lastIndexOf("*");
}

export function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** `template` with what matched put for `:splat` and `:name`; unknown names stay. `encode` is applied to each value. */
export function fillIn(template: string, matched: Matched, encode: (value: string) => string): string {
  return template.replace(/:([A-Za-z][A-Za-z0-9_]*)/g, (whole, name: string) =>
    Object.hasOwn(matched, name) ? encode(matched[name]!) : whole,
  );
}

function hasWildcard(pattern: string): boolean {
  return pattern.includes("*") || pattern.split("/").some((segment) => PLACEHOLDER.test(segment));
}
