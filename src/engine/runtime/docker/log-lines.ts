import type { LogLine } from "../container-runtime.ts";
import type { Frame } from "./demux.ts";

/** Longer lines are cut here, with an ellipsis. */
const LINE_LIMIT_BYTES = 64 * 1024;
const NEWLINE = 10;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) /;
/** RFC 3339 with nanoseconds and an offset, and the blank after it. */
const TIMESTAMP_BYTES = 36;

interface Unfinished {
  at: string;
  pieces: Uint8Array[];
  bytes: number;
}

/**
 * Puts log lines together from frames. The engine stamps every message, and cuts messages at 16 KB: a line that
 * was cut arrives as several frames, each with a stamp, only the last with a newline. Bytes are joined before
 * they are decoded, so that a character cut in two stays one.
 */
export class LogLines {
  #open: Record<Frame["stream"], Unfinished | null> = { stdout: null, stderr: null };

  *push(frame: Frame): Generator<LogLine> {
    let rest = frame.payload;
    while (rest.length > 0) {
      const newline = rest.indexOf(NEWLINE);
      const piece = newline < 0 ? rest : rest.subarray(0, newline);
      this.#add(frame.stream, piece);
      if (newline < 0) return;
      yield this.#finish(frame.stream);
      rest = rest.subarray(newline + 1);
    }
  }

  /** Lines that never got their newline. */
  *end(): Generator<LogLine> {
    for (const stream of ["stdout", "stderr"] as const) if (this.#open[stream]) yield this.#finish(stream);
  }

  #add(stream: Frame["stream"], piece: Uint8Array): void {
    const stamp =
      TIMESTAMP.exec(Buffer.from(piece.subarray(0, TIMESTAMP_BYTES)).toString("latin1"))?.[0] ?? "";
    const line = this.#open[stream] ?? { at: stamp.trimEnd(), pieces: [], bytes: 0 };
    this.#open[stream] = line;
    const room = LINE_LIMIT_BYTES + 1 - line.bytes;
    const text = piece.subarray(stamp.length, stamp.length + room);
    if (text.length === 0) return;
    line.pieces.push(text);
    line.bytes += text.length;
  }

  #finish(stream: Frame["stream"]): LogLine {
    const line = this.#open[stream] as Unfinished;
    this.#open[stream] = null;
    const bytes = Buffer.concat(line.pieces);
    return { at: line.at, stream, text: cutLine(bytes, LINE_LIMIT_BYTES).replace(/\r$/, "") };
  }
}

/** Decodes at most `limit` bytes, never half a character; an ellipsis tells that more followed. */
export function cutLine(bytes: Uint8Array, limit: number): string {
  if (bytes.length <= limit) return new TextDecoder().decode(bytes);
  // `stream` keeps an unfinished character at the end to itself.
  return `${new TextDecoder().decode(bytes.subarray(0, limit), { stream: true })}…`;
}
