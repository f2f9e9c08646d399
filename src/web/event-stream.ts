/** Comments keep the line open: idle connections are cut after 10 s. */
const HEARTBEAT_MS = 8000;

export interface EventStream {
  /** One event; the data may have any number of lines. */
  send(event: string, data: string, id?: string): void;
  /** Aborted when the reader has left. */
  readonly signal: AbortSignal;
}

/**
 * Server-sent events (WHATWG HTML §9.2) from a producer that runs until it returns; then the stream ends. An error of
 * the producer is told as `trouble` and ends it too, so that the browser tries again.
 */
export function answerEvents(request: Request, produce: (stream: EventStream) => Promise<void>): Response {
  const left = new AbortController();
  request.signal.addEventListener("abort", () => left.abort(), { once: true });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => run(controller, left, produce),
    cancel: () => left.abort(),
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

function run(
  controller: ReadableStreamDefaultController<Uint8Array>,
  left: AbortController,
  produce: (stream: EventStream) => Promise<void>,
): void {
  const encoder = new TextEncoder();
  const write = (text: string) => {
    if (!left.signal.aborted) controller.enqueue(encoder.encode(text));
  };
  const beat = setInterval(() => write(":\n\n"), HEARTBEAT_MS);
  write(":\n\n");
  produce({ send: (event, data, id) => write(frame(event, data, id)), signal: left.signal })
    .catch((error) => write(frame("trouble", trouble(error))))
    .finally(() => {
      clearInterval(beat);
      if (!left.signal.aborted) controller.close();
      left.abort();
    });
}

function frame(event: string, data: string, id?: string): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`;
}

function trouble(error: unknown): string {
  const detail = (error as { detail?: unknown } | null)?.detail;
  return typeof detail === "string" ? detail : "The stream broke off.";
}
