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

  /** `reused`: the caller writes into these bytes again, so what the kernel does not take is copied. True: all taken. */
  write(bytes: Uint8Array, reused = false): boolean {
    if (bytes.length === 0) return this.queued === 0;
    let taken = 0;
    if (this.queued === 0) {
      taken = Math.max(0, this.socket.write(bytes, 0, bytes.length));
      if (taken === bytes.length) return true;
    }
    const rest = bytes.subarray(taken);
    this.queue.push(reused ? Uint8Array.from(rest) : rest);
    this.queued += rest.length;
    return false;
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

  discard(): void {
    this.queue = [];
    this.queued = 0;
    this.offset = 0;
    this.afterFlush = undefined;
  }
}
