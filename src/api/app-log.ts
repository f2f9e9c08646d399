import { Type as t } from "@sinclair/typebox";
import type { AppLogLine } from "../product/instances/merge-logs.ts";
import { checkFilters, LogSource, linesFrom } from "../product/log-source.ts";
import { readInput } from "../product/read-input.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { eventStream, type Frame } from "./event-stream.ts";
import { API_ROOT } from "./operation-route.ts";
import { textStream } from "./text-stream.ts";

const MAX_LINES = 10_000;

const Query = t.Object({
  source: t.Optional(LogSource),
  lines: t.Optional(t.Integer({ minimum: 0, maximum: MAX_LINES, default: 100 })),
  follow: t.Optional(t.Boolean()),
  process: t.Optional(t.String()),
  instance: t.Optional(t.String()),
  since: t.Optional(t.String({ description: "A time as in 2026-01-31T12:00:00Z" })),
});

/**
 * The last lines of all instances, or with `?source=router` of the access log, as text; with `?follow=1` SSE, one message a line with JSON {instance, process, at,
 * stream, text}, its id the line's time: a reconnect goes on after it.
 */
export function appLogRoute(stopping: AbortSignal): HandRoute {
  return {
    method: "GET",
    path: `${API_ROOT}/apps/:app/logs`,
    permission: "logs:read",
    reason: "text, or a stream of events; an operation answers JSON once",
    handle: (call) => appLog(call, stopping),
  };
}

async function appLog(
  { request, params, query, parts }: RouteCall,
  stopping: AbortSignal,
): Promise<Response> {
  const asked = readInput(Query, Object.fromEntries(query));
  const { source = "app", lines, follow, process, instance, since } = asked;
  checkFilters(source, asked);
  const app = params.app as string;
  // Unknown apps are refused before the first byte: a stream cannot take back its 200.
  await parts.apps.get(app);
  if (source === "app") parts.instances.checkHasLog(app);
  const signal = AbortSignal.any([request.signal, stopping]);
  const options = { lines, follow: follow ?? false, process, instance, since };
  if (!follow) return textStream(textLines(linesFrom(source, parts, app, { ...options, signal }), source));
  const last = request.headers.get("last-event-id");
  const resumed = last ? { lines: MAX_LINES, since: last } : {};
  return eventStream(
    (ended) => frames(linesFrom(source, parts, app, { ...options, ...resumed, signal: ended }), last),
    { signal },
  );
}

/** The engine's `since` includes the moment itself: what the client has is left out. */
async function* frames(lines: AsyncIterable<AppLogLine>, after: string | null): AsyncGenerator<Frame> {
  for await (const line of lines)
    if (!after || line.at > after) yield { id: line.at, data: JSON.stringify(line) };
  yield { event: "end", data: "" };
}

/** A line of an access log says itself when it was, and is read by other programs as it is. */
async function* textLines(lines: AsyncIterable<AppLogLine>, source: LogSource): AsyncGenerator<string> {
  for await (const { at, instance, text } of lines)
    yield source === "router" ? `${text}\n` : `${at} ${instance}: ${text}\n`;
}
