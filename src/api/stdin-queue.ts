import { DiploError } from "../errors.ts";

/** A WebSocket cannot be held back, so that a client that sends without waiting has to be cut somewhere. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Bytes on their way from a client to a command's stdin. Tells how many the command's side has taken. */
export class StdinQueue {
  readonly stream: ReadableStream<Uint8Array>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #takenBytes = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(private readonly taken: (totalBytes: number) => void) {
    this.stream = new ReadableStream(
      { pull: (controller) => this.#pull(controller), cancel: () => this.end() },
      { highWaterMark: 0 },
    );
  }

  /** Throws `stdin_overrun` when more waits than is kept. What comes after the end is dropped, as a closed pipe would. */
  push(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES)
      throw new DiploError("stdin_overrun", "client is too far ahead of stdin_taken", {
        detail: "More input was sent than the command has taken.",
      });
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#waiting.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = null;
    const bytes = this.#waiting.shift();
    if (bytes === undefined) return controller.close();
    this.#waitingBytes -= bytes.length;
    this.#takenBytes += bytes.length;
    controller.enqueue(bytes);
    this.taken(this.#takenBytes);
  }
}
