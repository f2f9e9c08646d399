/** Comments keep the line open: idle connections are cut after 10 s. */
const HEARTBEAT_MS = 8000;

export interface EventStream {
  /** One event; the data may have any number of lines. */
  send(event: string, data: string, id?: string): void;
  /** Resolves once the reader takes more: a producer that is faster than its reader waits here. */
  room(): Promise<void>;
  /** Aborted when the reader has left. */
  readonly signal: AbortSignal;
}

type Produce = (stream: EventStream) => Promise<void>;

/**
 * Server-sent events (WHATWG HTML §9.2) from a producer that runs until it returns; then the stream ends. An error of
 * the producer is told as `trouble` and ends it too, so that the browser tries again.
 */
export function answerEvents(request: Request, produce: Produce): Response {
  const sender = new Sender();
  request.signal.addEventListener("abort", () => sender.leave(), { once: true });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => sender.start(controller, produce),
    pull: () => sender.pulled(),
    cancel: () => sender.leave(),
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

class Sender implements EventStream {
  readonly #left = new AbortController();
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #waiting: (() => void)[] = [];

  get signal(): AbortSignal {
    return this.#left.signal;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>, produce: Produce): void {
    this.#controller = controller;
    const beat = setInterval(() => this.#write(":\n\n"), HEARTBEAT_MS);
    this.#write(":\n\n");
    produce(this)
      .catch((error) => this.send("trouble", trouble(error)))
      .finally(() => {
        clearInterval(beat);
        if (!this.signal.aborted) controller.close();
        this.leave();
      });
  }

  send(event: string, data: string, id?: string): void {
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    this.#write(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`);
  }

  async room(): Promise<void> {
    if (this.signal.aborted || (this.#controller?.desiredSize ?? 0) > 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  pulled(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  leave(): void {
    this.#left.abort();
    this.pulled();
  }

  #write(text: string): void {
    if (!this.signal.aborted) this.#controller?.enqueue(this.#encoder.encode(text));
  }
}

function trouble(error: unknown): string {
  const detail = (error as { detail?: unknown } | null)?.detail;
  return typeof detail === "string" ? detail : "The stream broke off.";
}
