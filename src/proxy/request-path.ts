/**
 * A path without `.` and `..` segments, also when their dots are percent-encoded (RFC 3986 sections 5.2.4 and 6.2.2),
 * so that routing and the app see the same place. `undefined`: it climbs above the root.
 */
export function normalisePath(path: string): string | undefined {
  const segments = path.split("/");
  const kept: string[] = [];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    const plain = segment.length <= 6 ? segment.replace(/%2e/gi, ".") : segment;
    const last = i === segments.length - 1;
    if (plain === "..") {
      if (kept.pop() === undefined) return undefined;
      if (last) kept.push("");
    } else if (plain === ".") {
      if (last) kept.push("");
    } else kept.push(segment);
  }
  return `/${kept.join("/")}`;
}

/** The rest of `path` after the route's prefix, never empty: `/api` + `/api/x` → `/x`. */
export function stripPrefix(path: string, prefix: string): string {
  if (prefix === "/" || (path !== prefix && !path.startsWith(`${prefix}/`))) return path;
  const rest = path.slice(prefix.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}
