import type { ByteWriter } from "./byte-writer.ts";

/** The part of Bun's socket that writing needs; TLS and plain alike. */
export interface WritableSocket {
  write(data: Uint8Array, byteOffset: number, byteLength: number): number;
}

/**
 * Bytes on their way into one socket. Bun's `write` takes what the kernel takes and keeps nothing, so the rest waits
 * here for `drain`. The source is expected to pause while `queued` is not 0.
 */
export class Outbound {
  queued = 0;
  private queue: Uint8Array[] = [];
  private offset = 0;
  private afterFlush: (() => void) | undefined;

  constructor(private readonly socket: WritableSocket) {}

  /** Writes `bytes[from..to)`. True: the kernel took all. The bytes must not change any more. */
  write(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
    const taken = this.offer(bytes, from, to);
    // A view of bytes that just came costs more than all the rest: only for what has to wait.
    if (taken < to - from) this.keep(bytes.subarray(from + taken, to));
    return this.queued === 0;
  }

  /** The same for a writer that is used again: what the kernel does not take is copied. */
  writeFrom({ buffer, length }: ByteWriter): boolean {
    const taken = this.offer(buffer, 0, length);
    if (taken < length) this.keep(Uint8Array.from(buffer.subarray(taken, length)));
    return this.queued === 0;
  }

  /** The same for bytes whose first `changing` may change later: what the kernel does not take of those is copied. */
  writeChanging(bytes: Uint8Array, changing: number): boolean {
    const taken = this.offer(bytes);
    if (taken < changing) this.keep(Uint8Array.from(bytes.subarray(taken, changing)));
    if (taken < bytes.length) this.keep(bytes.subarray(Math.max(taken, changing)));
    return this.queued === 0;
  }

  /** The socket takes bytes again. Returns how many it took. */
  drain(): number {
    let total = 0;
    while (this.queue.length > 0) {
      const first = this.queue[0]!;
      const left = first.length - this.offset;
      const taken = Math.max(0, this.socket.write(first, this.offset, left));
      total += taken;
      this.queued -= taken;
      if (taken < left) {
        this.offset += taken;
        return total;
      }
      this.queue.shift();
      this.offset = 0;
    }
    const then = this.afterFlush;
    this.afterFlush = undefined;
    then?.();
    return total;
  }

  /** Runs `then` when everything written so far is with the kernel: `end(data)` of Bun would truncate. */
  whenFlushed(then: () => void): void {
    if (this.queued === 0) then();
    else this.afterFlush = then;
  }

  /** How many of `bytes[from..to)` the kernel takes at once, none while others wait. When it is not all, `drained` tells of more room. */
  offer(bytes: Uint8Array, from = 0, to = bytes.length): number {
    return this.queued > 0 || to <= from ? 0 : Math.max(0, this.socket.write(bytes, from, to - from));
  }

  private keep(rest: Uint8Array): void {
    this.queue.push(rest);
    this.queued += rest.length;
  }

  discard(): void {
    this.queue = [];
    this.queued = 0;
    this.offset = 0;
    this.afterFlush = undefined;
  }
}
