/** Of headers and of redirects, at most: the data plane takes no more. */
export const SITE_RULES = 2_000;

/**
 * A path of `_headers` or `_redirects`: `*` matches anything, `:name` one segment. Answers why it cannot be used, or
 * null when it can.
 */
export function patternFault(pattern: string): string | null {
  if (/^https?:\/\//i.test(pattern)) return "host names are not matched; a path starts with /";
  if (!pattern.startsWith("/")) return "a path starts with /";
  if (pattern.length > 2000) return "it is too long";
  if (/[?#]/.test(pattern)) return "query and fragment are not matched";
  if ((pattern.match(/\*/g)?.length ?? 0) > 1) return "more than one *";
  const names = placeholders(pattern);
  if (new Set(names).size < names.length) return "a placeholder stands twice";
  const decoded = decodedPath(pattern);
  if (decoded === null) return "its % encoding is damaged";
  // Decoded it would be one that matches anything.
  return /%2a/i.test(pattern) ? "an encoded * is not matched" : null;
}

/** Names of `:name` segments. */
export function placeholders(pattern: string): string[] {
  return [...pattern.matchAll(/\/:([A-Za-z]\w*)/g)].map((match) => match[1] as string);
}

/** As paths of files are: percent-decoded. null when it cannot be, or has a NUL, which no name has. */
export function decodedPath(path: string): string | null {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? null : decoded;
  } catch {
    return null;
  }
}
