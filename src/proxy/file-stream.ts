import { closeSync } from "node:fs";
import type { Outbound } from "./outbound.ts";
import { readFully } from "./site-directory.ts";

/**
 * Part of a file on its way to a client. Nothing of it waits in memory: what the kernel does not take is read again when
 * it does.
 */
export class FileStream {
  constructor(
    private readonly fd: number,
    private position: number,
    private readonly end: number,
  ) {}

  get left(): number {
    return this.end - this.position;
  }

  /** Sends until all is out or the client takes no more. Throws when the file ends early. */
  pump(out: Outbound, space: Buffer): void {
    while (this.left > 0) {
      const piece = space.subarray(0, Math.min(space.length, this.left));
      readFully(this.fd, piece, this.position);
      const taken = out.offer(piece, piece.length);
      this.position += taken;
      if (taken < piece.length) return;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
