export interface Frame {
  stream: "stdout" | "stderr";
  payload: Uint8Array;
}

const HEADER_BYTES = 8;
const EMPTY = new Uint8Array(0);

/**
 * Splits the engine's multiplexed output (attach, logs, exec without a terminal) into frames: a header of the
 * stream's number, three zeros and the length (big-endian), then the payload. dockerode's own is quadratic.
 * Cost is linear: bytes are copied only when a frame crosses the border of a chunk.
 */
export class Demux {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  /** Frames that are complete with this chunk. */
  *push(chunk: Uint8Array): Generator<Frame> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes < this.#wanted()) return;
    const bytes = this.#take();
    let at = 0;
    for (let end = frameEnd(bytes, at); end !== null && end <= bytes.length; end = frameEnd(bytes, at)) {
      // 0 is stdin, which engines use for output of their own; it reads as stdout.
      yield {
        stream: bytes[at] === 2 ? "stderr" : "stdout",
        payload: bytes.subarray(at + HEADER_BYTES, end),
      };
      at = end;
    }
    if (at < bytes.length) this.#pending = [bytes.subarray(at)];
    this.#pendingBytes = bytes.length - at;
  }

  // Bytes needed before anything can be yielded; known as soon as the first header is whole in the first piece.
  #wanted(): number {
    const first = this.#pending[0] ?? EMPTY;
    return frameEnd(first, 0) ?? HEADER_BYTES;
  }

  #take(): Uint8Array {
    const bytes =
      this.#pending.length === 1 ? (this.#pending[0] as Uint8Array) : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return bytes;
  }
}

function frameEnd(bytes: Uint8Array, at: number): number | null {
  if (bytes.length - at < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  return at + HEADER_BYTES + view.getUint32(4);
}
