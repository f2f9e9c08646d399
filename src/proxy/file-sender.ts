import { closeSync } from "node:fs";
import { openLibc, ptr } from "./libc.ts";
import type { Outbound } from "./outbound.ts";
import { readFully } from "./site-directory.ts";

/** Part of an open file on its way to a client. */
export class FileStream {
  /** The client takes no more for now; its connection says when it does. */
  blocked = false;

  constructor(
    readonly fd: number,
    /** Next byte to send, and where to stop. */
    public position: number,
    readonly end: number,
  ) {}

  get left(): number {
    return this.end - this.position;
  }

  close(): void {
    closeSync(this.fd);
  }
}

const PIECE_BYTES = 128 * 1024;
/** Written only to learn whether there is room: the kernel has just said that there is none. */
const PROBE_BYTES = 4 * 1024;
/** In one go, before it is the turn of other connections. */
const TURN_BYTES = 2 * 1024 * 1024;

/**
 * Sends files at flat memory: what the kernel does not take is not kept but read again when it does. On plain
 * connections the kernel copies from its page cache itself (sendfile(2)).
 */
export class FileSender {
  private readonly space = Buffer.allocUnsafeSlow(PIECE_BYTES);
  private readonly libc = openLibc();
  private readonly offset = new BigInt64Array(1);
  private readonly offsetAddress = ptr(this.offset);

  /**
   * Sends until all is out, the client takes no more, or it is the turn of others. `socket`: a plain one's descriptor.
   * Throws when the file ends early.
   */
  send(stream: FileStream, out: Outbound, socket: number | undefined): void {
    const turnEnd = stream.position + TURN_BYTES;
    stream.blocked = false;
    while (stream.left > 0 && !stream.blocked && stream.position < turnEnd) {
      const count = Math.min(stream.left, turnEnd - stream.position);
      if (socket !== undefined) this.sendDirectly(stream, socket, count);
      // Only a write of Bun's own that falls short makes it tell when there is room again.
      if (stream.left > 0 && stream.position < turnEnd)
        this.sendPiece(stream, out, socket === undefined ? PIECE_BYTES : PROBE_BYTES);
    }
  }

  private sendDirectly(stream: FileStream, socket: number, count: number): void {
    this.offset[0] = BigInt(stream.position);
    const taken = Number(this.libc.sendfile(socket, stream.fd, this.offsetAddress, count));
    if (taken > 0) stream.position += taken;
  }

  private sendPiece(stream: FileStream, out: Outbound, bytes: number): void {
    const piece = this.space.subarray(0, Math.min(bytes, stream.left));
    readFully(stream.fd, piece, stream.position);
    const taken = out.offer(piece);
    stream.position += taken;
    stream.blocked = taken < piece.length;
  }
}
