/**
 * A request's path, percent-decoded once. Undefined: malformed, not UTF-8, or with a NUL, which no name has. What else
 * decoding brings to light, such as slashes, is part of a name that no file has: paths are looked up, never opened.
 */
export function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
