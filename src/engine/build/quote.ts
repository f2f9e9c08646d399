/** A value as one word of a POSIX shell line. Throws on NUL and line breaks, which no Dockerfile line can carry. */
export function quote(value: string): string {
  if (/[\0\r\n]/.test(value)) throw new Error("a shell word cannot hold NUL or a line break");
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A value for `ENV NAME="…"` of a Dockerfile, literal: no variable of the builder is expanded in it. */
export function quoteEnv(value: string): string {
  if (/[\0\r\n]/.test(value)) throw new Error("a Dockerfile value cannot hold NUL or a line break");
  return `"${value.replace(/[\\"$]/g, "\\$&")}"`;
}

/**
 * A command line as argv, when it is plain words; null when it needs a shell (operators, variables, globs,
 * assignments). Quotes around whole words are understood.
 */
export function plainWords(line: string): string[] | null {
  const words: string[] = [];
  const token = /\s*(?:'([^']*)'|"([^"\\$`]*)"|([^\s'"\\$`|&;<>()*?[\]{}~#!]+))(?=\s|$)/y;
  const text = line.trim();
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return null;
    words.push(match[1] ?? match[2] ?? match[3] ?? "");
  }
  return words.length === 0 || /^[A-Za-z_][A-Za-z0-9_]*=/.test(words[0]!) ? null : words;
}

/** argv for a line as a person wrote it: its words when they are plain, else through `sh -c`. */
export function commandOf(line: string): string[] {
  return plainWords(line) ?? ["sh", "-c", line];
}
