import type { EventRow, Events } from "../product/events/events.ts";
import { iso } from "../product/schema.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { Bell } from "./bell.ts";
import { eventStream, type Frame, lastEventId } from "./event-stream.ts";
import { API_ROOT } from "./operation-route.ts";

const PAGE = 200;

/**
 * SSE of everything that happens on the box: `{id, type, timestamp, app_id, payload}`, event name = type, id = its
 * number. `?topics=task.*,app.status` narrows it. Without Last-Event-ID it begins now; when events in between are
 * no longer kept (24 h), a `reset` says so: read the state afresh.
 */
export function eventFeedRoute(stopping: AbortSignal): HandRoute {
  return {
    method: "GET",
    path: `${API_ROOT}/events`,
    permission: "apps:read",
    reason: "a stream of events; an operation answers JSON once",
    handle: ({ request, query, parts: { events } }: RouteCall) => {
      const wanted = topicFilter(query.get("topics"));
      const from = lastEventId(request);
      const signal = AbortSignal.any([request.signal, stopping]);
      return eventStream((ended) => frames(events, from, wanted, ended), { signal });
    },
  };
}

async function* frames(
  events: Events,
  from: number | null,
  wanted: (type: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const bell = new Bell();
  using _subscription = events.subscribe(bell.ring);
  let at = from ?? events.lastSeq();
  if (isForgotten(events, at)) {
    at = events.lastSeq();
    yield { id: at, event: "reset", data: "" };
  }
  while (!signal.aborted) {
    const page = events.since(at, PAGE);
    at = page.at(-1)?.seq ?? at;
    for (const event of page) if (wanted(event.type)) yield frame(event);
    if (page.length < PAGE) await bell.rung(signal);
  }
}

/** Events after this one are gone, or it is of another box's counting. */
function isForgotten(events: Events, at: number): boolean {
  const next = events.since(at, 1)[0];
  return next === undefined ? at > events.lastSeq() : next.seq > at + 1;
}

function frame({ seq, type, at, app_id, payload }: EventRow): Frame {
  return {
    id: seq,
    event: type,
    data: JSON.stringify({ id: seq, type, timestamp: iso(at), app_id, payload }),
  };
}

function topicFilter(topics: string | null): (type: string) => boolean {
  if (!topics) return () => true;
  const patterns = topics.split(",").map((topic) => topic.trim());
  return (type) =>
    patterns.some((pattern) =>
      pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern,
    );
}
