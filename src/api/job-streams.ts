import { jobBody } from "../product/jobs/job-body.ts";
import type { Parts } from "../product/parts.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { Bell } from "./bell.ts";
import { eventStream, type Frame, lastEventId } from "./event-stream.ts";
import { API_ROOT } from "./operation-route.ts";
import { textStream } from "./text-stream.ts";

/** How often a job's own progress is looked at while somebody watches: it is not worth an event in the database. */
const LOOK_MS = 500;

/** Progress and log of anything long-running. A deployment's log is its job's. */
export function jobStreamRoutes(stopping: AbortSignal): HandRoute[] {
  const reason = "text, or a stream of events; an operation answers JSON once";
  return [
    {
      method: "GET",
      path: `${API_ROOT}/jobs/:job/events`,
      permission: "apps:read",
      reason,
      handle: (call) => jobEvents(call, call.params.job as string, stopping),
    },
    {
      method: "GET",
      path: `${API_ROOT}/jobs/:job/log`,
      permission: "logs:read",
      reason,
      handle: (call) => jobLog(call, call.params.job as string, stopping),
    },
    {
      method: "GET",
      path: `${API_ROOT}/deployments/:deployment/log`,
      permission: "logs:read",
      reason,
      handle: async (call) => {
        const deployment = await call.parts.deployments.get(call.params.deployment as string);
        return jobLog(call, deployment.job_id, stopping);
      },
    },
  ];
}

/**
 * SSE: `task.updated` with the job whenever it has changed, `task.completed` once at its end, then `end`. The first
 * message is the present state, so that a reconnect misses nothing that still matters.
 */
function jobEvents({ request, parts }: RouteCall, id: string, stopping: AbortSignal): Response {
  parts.jobs.get(id);
  const signal = AbortSignal.any([request.signal, stopping]);
  return eventStream((ended) => jobFrames(parts, id, ended), { signal });
}

async function* jobFrames({ jobs, events }: Parts, id: string, signal: AbortSignal): AsyncGenerator<Frame> {
  const bell = new Bell();
  using _subscription = events.subscribe(({ payload }) => payload.job_id === id && bell.ring());
  for (let told = ""; !signal.aborted; ) {
    const seq = events.lastSeq();
    const over = jobs.isOver(id);
    const data = JSON.stringify(jobBody(jobs.get(id)));
    if (data !== told) yield { id: seq, event: over ? "task.completed" : "task.updated", data };
    told = data;
    if (over) return yield { event: "end", data: "" };
    await bell.rung(signal, LOOK_MS);
  }
}

/** Text; with `?follow=1` SSE whose ids are byte offsets of the log: a reconnect goes on where it was cut. */
function jobLog({ request, query, parts }: RouteCall, id: string, stopping: AbortSignal): Response {
  parts.jobs.get(id);
  const signal = AbortSignal.any([request.signal, stopping]);
  const from = lastEventId(request) ?? 0;
  if (isOn(query.get("follow"))) return eventStream((ended) => followLog(parts, id, from, ended), { signal });
  return textStream(wholeLog(parts, id));
}

async function* followLog(
  { jobs }: Parts,
  id: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const bell = new Bell();
  using _subscription = jobs.onLog(id, bell.ring);
  for (let at = from; !signal.aborted; ) {
    // Asked before reading: whatever was written before the end is then read.
    const over = jobs.isOver(id);
    const { text, next } = await jobs.log(id).read(at);
    if (next > at) yield { id: next, data: text };
    else if (over) return yield { event: "end", data: jobs.get(id).status };
    else await bell.rung(signal);
    at = next;
  }
}

async function* wholeLog({ jobs }: Parts, id: string): AsyncGenerator<string> {
  for (let at = 0; ; ) {
    const { text, next } = await jobs.log(id).read(at);
    if (next <= at) return;
    at = next;
    yield text;
  }
}

export const isOn = (text: string | null): boolean => /^(1|true|yes|on)$/i.test(text ?? "");
