/** Part of a content: from the first byte up to, not with, `end`. */
export interface ByteRange {
  start: number;
  end: number;
}

const RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * The range that a Range field asks for, of a content of `size` bytes (RFC 9110 section 14). `undefined`: answer with all
 * of it, which is allowed for units and forms that we do not serve; several ranges at once are one of them, because
 * hardly anyone asks so but those who want to make a server work. `unsatisfiable`: 416.
 */
export function byteRange(field: string, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = RANGE.exec(field);
  if (match === null) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "") return last === "" ? undefined : suffix(Number(last), size);
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

function suffix(length: number, size: number): ByteRange | "unsatisfiable" {
  if (length === 0 || size === 0) return "unsatisfiable";
  return { start: Math.max(0, size - length), end: size };
}
