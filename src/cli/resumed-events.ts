import type { Box, BoxRequest } from "./box.ts";
import { BoxError } from "./box-error.ts";
import { readEvents, type ServerEvent } from "./sse.ts";

/** A box that is updated or restarted is back within this time; a deployment goes on meanwhile. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

interface Options {
  signal: AbortSignal;
  /** Told once each time the stream breaks. */
  onBroken?: () => void;
  patienceMs?: number;
}

/**
 * Events of a stream until its `end`, over as many connections as it takes: after a break it goes on behind the last
 * id. Throws what the box refuses with, and the last error when it has not answered for a minute.
 */
export async function* resumedEvents(
  box: Box,
  request: Pick<BoxRequest, "path" | "query">,
  { signal, onBroken = () => {}, patienceMs = PATIENCE_MS }: Options,
): AsyncGenerator<ServerEvent> {
  let lastId: string | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  let heardAt = performance.now();
  while (!signal.aborted) {
    try {
      for await (const event of connection(box, request, lastId, signal)) {
        if (event.type === "end") return;
        if (event.type === "error") break;
        [lastId, heardAt, pauseMs] = [event.id ?? lastId, performance.now(), FIRST_PAUSE_MS];
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if ((error instanceof BoxError && error.status < 500) || performance.now() - heardAt > patienceMs)
        throw error;
    }
    if (pauseMs === FIRST_PAUSE_MS) onBroken();
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function* connection(
  box: Box,
  { path, query }: Pick<BoxRequest, "path" | "query">,
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const headers = { accept: "text/event-stream", ...(lastId !== null && { "last-event-id": lastId }) };
  const { body } = await box.fetch({ method: "GET", path, query, headers, signal });
  if (body) yield* readEvents(body);
}

/** Ends early when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
