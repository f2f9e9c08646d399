import type { Readable } from "node:stream";

/**
 * Objects of a stream of JSON lines, as build and events answer. A line that is no JSON object is skipped: the
 * last one of a reply that was cut is half a line.
 */
export async function* jsonLines(stream: Readable): AsyncGenerator<Record<string, unknown>> {
  let pieces: Buffer[] = [];
  for await (const chunk of stream) {
    let rest = chunk as Buffer;
    for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10)) {
      pieces.push(rest.subarray(0, newline));
      const line = parse(Buffer.concat(pieces));
      pieces = [];
      rest = rest.subarray(newline + 1);
      if (line) yield line;
    }
    if (rest.length > 0) pieces.push(rest);
  }
  const last = parse(Buffer.concat(pieces));
  if (last) yield last;
}

function parse(line: Buffer): Record<string, unknown> | null {
  if (line.length === 0) return null;
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return value && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
