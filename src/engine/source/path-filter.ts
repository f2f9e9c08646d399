/** Which changed files make an app's next deployment worth while (capabilities D2). */
export interface PathFilter {
  watch_paths: string[];
  ignore_paths: string[];
  /**
   * strict: a file counts when it is watched and not ignored; without watch_paths every file is watched.
   * loose: a file counts unless it is ignored; watching it makes it count all the same.
   */
  path_filter: "strict" | "loose";
}

/**
 * Whether a pattern stands for a path; both from the repository's root. `*` is anything in one segment, `**` any
 * number of segments; a pattern without a `*`, or with a `/` at its end, stands for all below it too.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const wanted = segmentsOf(pattern);
  const below = pattern.endsWith("/") || !pattern.includes("*");
  return matchSegments(below ? [...wanted, "**"] : wanted, segmentsOf(path));
}

/** The changed files that count. */
export function filesThatCount(files: string[], filter: PathFilter): string[] {
  const isIn = (patterns: string[], path: string) => patterns.some((pattern) => matchesPath(pattern, path));
  return files.filter((path) => {
    const ignored = isIn(filter.ignore_paths, path);
    if (filter.path_filter === "loose") return !ignored || isIn(filter.watch_paths, path);
    return !ignored && (filter.watch_paths.length === 0 || isIn(filter.watch_paths, path));
  });
}

const segmentsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/** Row by row over the pattern, so that no pattern takes longer than its length times the path's. */
function matchSegments(pattern: string[], path: string[]): boolean {
  let reached = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (part === "**") for (let end = at; end <= path.length; end++) next.add(end);
      else if (at < path.length && matchSegment(part, path[at]!)) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(path.length);
}

/** Each piece between stars at its first place after the one before; the last at the end. */
function matchSegment(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() as string;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
