import { problemOf } from "./problem.ts";

/** One message of a text/event-stream. */
export interface Frame {
  id?: string | number;
  event?: string;
  data: string;
}

export interface EventStreamOptions {
  /** Ends the stream: the client left, or the daemon stops. */
  signal: AbortSignal;
  /** Comment lines keep connections alive that carry nothing else (Bun cuts silent ones at 10 s). */
  heartbeatMs?: number;
}

const encoder = new TextEncoder();

/**
 * Frames as they come, pulled no faster than the client reads (WHATWG HTML §9.2). The signal given to `frames` is
 * aborted when the client has left; its `finally` then runs.
 */
export function eventStream(
  frames: (signal: AbortSignal) => AsyncIterable<Frame>,
  { signal, heartbeatMs = 8000 }: EventStreamOptions,
): Response {
  const left = new AbortController();
  const ended = AbortSignal.any([signal, left.signal]);
  // Begun by the first pull: a HEAD never pulls, and must not leave a subscription behind.
  let iterator: AsyncIterator<Frame> | undefined;
  let pending: Promise<IteratorResult<Frame>> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode("retry: 1000\n\n")),
    pull: async (controller) => {
      iterator ??= frames(ended)[Symbol.asyncIterator]();
      pending ??= iterator.next().catch(lastWords);
      const result = await orHeartbeat(pending, heartbeatMs);
      if (result === null) return controller.enqueue(encoder.encode(": still here\n\n"));
      pending = undefined;
      if (result.done) controller.close();
      else controller.enqueue(encoder.encode(writeFrame(result.value)));
    },
    cancel: async () => {
      left.abort();
      await iterator?.return?.();
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Proxies before us must not gather it.
      "x-accel-buffering": "no",
    },
  });
}

/** Line breaks inside data, id or event would end the field: each line of data gets its own. */
export function writeFrame({ id, event, data }: Frame): string {
  const head = [
    ...(id === undefined ? [] : [`id: ${oneLine(String(id))}`]),
    ...(event === undefined ? [] : [`event: ${oneLine(event)}`]),
  ];
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`);
  return `${[...head, ...lines].join("\n")}\n\n`;
}

/** Where a reconnecting client goes on: a whole number from 0 up, else null. */
export function lastEventId(request: Request): number | null {
  const text = request.headers.get("last-event-id") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

// A stream that breaks says why; the client then knows better than to wait or to take it for the end.
function lastWords(error: unknown): IteratorResult<Frame> {
  const { code, detail } = problemOf(error, "");
  return { done: false, value: { event: "error", data: JSON.stringify({ code, detail }) } };
}

const oneLine = (text: string) => text.replace(/[\r\n\0]/g, " ");

function orHeartbeat<T>(next: Promise<T>, ms: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), ms);
    next.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
