import type { LogLine } from "../container-runtime.ts";
import type { Frame } from "./demux.ts";

/** Longer lines are cut here, with an ellipsis. */
const LINE_LIMIT_BYTES = 64 * 1024;
/** The engine cuts messages here. */
const MESSAGE_BYTES = 16 * 1024;
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
 * Puts log lines together from frames. The engine stamps every message, and cuts a long line into messages of 16 KB
 * with the same stamp. The last of them should end in a newline; with the `local` driver of Engine 20.10 it does
 * not, so a shorter piece or another stamp ends the line too. Bytes are joined before they are decoded, so that a
 * character cut in two stays one.
 */
export class LogLines {
  #open: Record<Frame["stream"], Unfinished | null> = { stdout: null, stderr: null };

  *push(frame: Frame): Generator<LogLine> {
    let rest = frame.payload;
    while (rest.length > 0) {
      const newline = rest.indexOf(NEWLINE);
      const piece = newline < 0 ? rest : rest.subarray(0, newline);
      const at = stampOf(piece);
      const open = this.#open[frame.stream];
      if (open && at && at !== open.at) yield this.#finish(frame.stream);
      const text = piece.subarray(at ? at.length + 1 : 0);
      const last = newline >= 0 || this.#isLastPiece(frame.stream, text);
      this.#add(frame.stream, at, text);
      if (last) yield this.#finish(frame.stream);
      if (newline < 0) return;
      rest = rest.subarray(newline + 1);
    }
  }

  /** Lines that never got their newline. */
  *end(): Generator<LogLine> {
    for (const stream of ["stdout", "stderr"] as const) if (this.#open[stream]) yield this.#finish(stream);
  }

  #isLastPiece(stream: Frame["stream"], text: Uint8Array): boolean {
    return text.length < MESSAGE_BYTES && (this.#open[stream]?.bytes ?? 0) >= MESSAGE_BYTES;
  }

  #add(stream: Frame["stream"], at: string, text: Uint8Array): void {
    const line = this.#open[stream] ?? { at, pieces: [], bytes: 0 };
    this.#open[stream] = line;
    const kept = text.subarray(0, LINE_LIMIT_BYTES + 1 - line.bytes);
    if (kept.length === 0) return;
    line.pieces.push(kept);
    line.bytes += kept.length;
  }

  #finish(stream: Frame["stream"]): LogLine {
    const line = this.#open[stream] as Unfinished;
    this.#open[stream] = null;
    const bytes = Buffer.concat(line.pieces);
    return { at: line.at, stream, text: cutLine(bytes, LINE_LIMIT_BYTES).replace(/\r$/, "") };
  }
}

/** The stamp a message begins with; "" when it has none. */
function stampOf(piece: Uint8Array): string {
  const head = Buffer.from(piece.subarray(0, TIMESTAMP_BYTES)).toString("latin1");
  return TIMESTAMP.exec(head)?.[0].trimEnd() ?? "";
}

/** Decodes at most `limit` bytes, never half a character; an ellipsis tells that more followed. */
export function cutLine(bytes: Uint8Array, limit: number): string {
  if (bytes.length <= limit) return new TextDecoder().decode(bytes);
  // `stream` keeps an unfinished character at the end to itself.
  return `${new TextDecoder().decode(bytes.subarray(0, limit), { stream: true })}…`;
}
