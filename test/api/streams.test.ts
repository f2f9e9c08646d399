import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ulid } from "ulid";
import { readEvents, type ServerEvent } from "../../src/cli/sse.ts";
import { notFound } from "../../src/errors.ts";
import { DONE, type JobKind, type StepContext } from "../../src/jobs/job.ts";
import type { AppLogLine, LogOptions } from "../../src/product/instances/merge-logs.ts";
import { type ControlBox, startControlBox } from "./control-box.ts";

type Context = StepContext<Record<string, never>>;
/** A job's step, held until the test lets it end. */
interface Work {
  id: string;
  context: Context;
  finish(): void;
}

let box: ControlBox;
let token: string;
let logLines: AppLogLine[] = [];
let logAsked: LogOptions | null = null;
let logLeft = false;
let began: (work: Work) => void;

const kind: JobKind<Record<string, never>> = {
  name: "test.work",
  steps: {
    work: {
      deadlineMs: 60_000,
      run: (context) =>
        new Promise((resolve) =>
          began({ id: context.job.id, context, finish: () => resolve({ next: DONE }) }),
        ),
    },
  },
};

const stubs = {
  deployments: { get: () => ({ job_id: newest }) },
  apps: {
    get: (name: string) => {
      if (name !== "blog") throw notFound("app", name);
    },
  },
  routes: {
    async *accessLog(_app: string, options: LogOptions): AsyncIterable<AppLogLine> {
      logAsked = options;
      yield* logLines;
    },
  },
  instances: {
    checkHasLog: () => {},
    async *logs(_app: string, options: LogOptions): AsyncIterable<AppLogLine> {
      logAsked = options;
      try {
        yield* logLines;
        if (options.follow)
          await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
      } finally {
        logLeft = true;
      }
    },
  },
};

beforeAll(async () => {
  box = await startControlBox({ stubs });
  token = box.token();
  box.parts.jobs.register(kind);
  box.parts.jobs.start();
});
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  logLeft = false;
});

let newest = "";
async function work(): Promise<Work> {
  const started = Promise.withResolvers<Work>();
  began = started.resolve;
  newest = ulid();
  box.parts.jobs.enqueue({
    id: newest,
    kind: kind.name,
    lane: newest,
    subject: "01APP",
    step: "work",
    state: {},
    createdBy: "test",
  });
  return started.promise;
}

const open = async (path: string, headers: Record<string, string> = {}, signal?: AbortSignal) => {
  const response = await fetch(`${box.url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal,
  });
  expect(response.status).toBe(200);
  return readEvents(response.body as ReadableStream<Uint8Array>);
};
const take = async (events: AsyncGenerator<ServerEvent>) => (await events.next()).value as ServerEvent;
const until = async (condition: () => boolean) => {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition did not come true in 5 s");
    await Bun.sleep(5);
  }
};

test("jobs/:job/events tells the state at once, each change, and the end", async () => {
  const { id, context, finish } = await work();
  const events = await open(`/jobs/${id}/events`);
  const first = await take(events);
  expect(first.type).toBe("task.updated");
  expect(Number(first.id)).toBeGreaterThan(0);
  expect(JSON.parse(first.data)).toMatchObject({ id, status: "running", step: "work" });
  context.progress("half way", 0.5);
  expect(JSON.parse((await take(events)).data)).toMatchObject({ message: "half way", progress: 0.5 });
  finish();
  let last = await take(events);
  while (last.type === "task.updated") last = await take(events);
  expect(last.type).toBe("task.completed");
  expect(JSON.parse(last.data)).toMatchObject({ id, status: "succeeded" });
  expect((await take(events)).type).toBe("end");
  expect((await events.next()).done).toBe(true);
});

test("a job that is over tells so at once; an unknown one is 404 before any stream", async () => {
  const { id, finish } = await work();
  finish();
  await box.parts.jobs.wait(id);
  const events = await open(`/jobs/${id}/events`, { "last-event-id": "5" });
  expect([(await take(events)).type, (await take(events)).type]).toEqual(["task.completed", "end"]);
  const headers = { authorization: `Bearer ${token}` };
  for (const path of ["/jobs/nope/events", "/jobs/nope/log", "/jobs/nope/log?follow=1"])
    expect((await fetch(`${box.url}/api/v1${path}`, { headers })).status).toBe(404);
});

test("a log that is followed resumes by Last-Event-ID without a lost or a doubled byte", async () => {
  const { id, context, finish } = await work();
  context.log.line("first ü 🦑");
  context.log.flush();
  const leave = new AbortController();
  const before = await open(`/jobs/${id}/log?follow=1`, {}, leave.signal);
  const first = await take(before);
  expect(first.data).toBe("first ü 🦑\n");
  expect(first.id).toBe(String(Buffer.byteLength("first ü 🦑\n")));
  leave.abort();
  context.log.line("while away");
  context.log.flush();
  const after = await open(`/jobs/${id}/log?follow=1`, { "last-event-id": first.id as string });
  expect((await take(after)).data).toBe("while away\n");
  context.log.line("live");
  expect((await take(after)).data).toBe("live\n");
  context.log.line("last words");
  finish();
  expect((await take(after)).data).toBe("last words\n");
  expect(await take(after)).toMatchObject({ type: "end", data: "succeeded" });
});

test("deployments/:deployment/log is its job's log, whole, as text", async () => {
  const { context, finish } = await work();
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 1000; i++) context.log.line(line);
  finish();
  await box.parts.jobs.wait(newest);
  const response = await fetch(`${box.url}/api/v1/deployments/01D/log`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await response.text()).toBe(line.repeat(1000));
});

test("a job without a log has an empty one", async () => {
  const { id, finish } = await work();
  finish();
  await box.parts.jobs.wait(id);
  const response = await fetch(`${box.url}/api/v1/jobs/${id}/log`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([response.status, await response.text()]).toEqual([200, ""]);
});

const line = (second: number, instance: string): AppLogLine => ({
  at: `2026-01-01T00:00:0${second}.000000001Z`,
  instance,
  process: "web",
  stream: "stdout",
  text: `line ${second}`,
});

test("apps/:app/logs answers text and hands on what was asked", async () => {
  logLines = [line(1, "web.1"), line(2, "web.2")];
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${box.url}/api/v1/apps/blog/logs?lines=7&process=web`, { headers });
  expect(await response.text()).toBe(
    "2026-01-01T00:00:01.000000001Z web.1: line 1\n2026-01-01T00:00:02.000000001Z web.2: line 2\n",
  );
  expect(logAsked).toMatchObject({ lines: 7, process: "web", follow: false });
  expect((await fetch(`${box.url}/api/v1/apps/other/logs?follow=1`, { headers })).status).toBe(404);
  expect((await fetch(`${box.url}/api/v1/apps/blog/logs?lines=x`, { headers })).status).toBe(422);
});

test("apps/:app/logs?source=router gives lines of the access log as they are", async () => {
  logLines = [{ ...line(1, "router"), text: '{"status":200}' }];
  const headers = { authorization: `Bearer ${token}` };
  const get = (query: string) => fetch(`${box.url}/api/v1/apps/blog/logs?source=${query}`, { headers });
  expect(await (await get("router&lines=7")).text()).toBe('{"status":200}\n');
  expect(logAsked).toMatchObject({ lines: 7, follow: false });
  expect((await get("router&process=web")).status).toBe(422);
  expect((await get("elsewhere")).status).toBe(422);
});

test("apps/:app/logs refuses a since that is no time, of either source", async () => {
  const headers = { authorization: `Bearer ${token}` };
  const get = (query: string) => fetch(`${box.url}/api/v1/apps/blog/logs?${query}`, { headers });
  expect((await get("since=yesterday")).status).toBe(422);
  expect((await get("since=1&source=router")).status).toBe(422);
  expect((await get("since=2026-01-31T12:00:00Z")).status).toBe(200);
});

test("apps/:app/logs?follow=1 resumes after the last line's time and lets go when the client leaves", async () => {
  logLines = [line(1, "web.1"), line(2, "web.2"), line(3, "web.1")];
  const leave = new AbortController();
  const events = await open(
    "/apps/blog/logs?follow=1&lines=5",
    { "last-event-id": line(1, "").at },
    leave.signal,
  );
  const next = await take(events);
  expect([next.id, JSON.parse(next.data)]).toEqual([line(2, "").at, line(2, "web.2")]);
  expect(logAsked).toMatchObject({ since: line(1, "").at, lines: 10_000, follow: true });
  expect(logLeft).toBe(false);
  leave.abort();
  await until(() => logLeft);
});

test("events begins now, resumes by Last-Event-ID and is narrowed by topics", async () => {
  const { events } = box.parts;
  events.emit("app.status", "01A", { status: "old" });
  const seq = events.lastSeq();
  const live = await open("/events?topics=app.*");
  events.emit("task.updated", "01A", { job_id: "other" });
  events.emit("app.status", "01A", { status: "running" });
  const told = await take(live);
  expect(told).toMatchObject({ id: String(seq + 2), type: "app.status" });
  expect(JSON.parse(told.data)).toEqual({
    id: seq + 2,
    type: "app.status",
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    app_id: "01A",
    payload: { status: "running" },
  });
  const resumed = await open("/events", { "last-event-id": String(seq) });
  expect([(await take(resumed)).type, (await take(resumed)).id]).toEqual(["task.updated", String(seq + 2)]);
});

test("events says reset when those in between are no longer kept, or the number is not ours", async () => {
  const { events } = box.parts;
  events.emit("app.status", null, {});
  const seq = events.lastSeq();
  const beyond = await open("/events", { "last-event-id": "999999999" });
  expect(await take(beyond)).toMatchObject({ type: "reset", id: String(seq) });
  box.parts.store.run("delete from events where seq < $seq", { seq });
  expect((await take(await open("/events", { "last-event-id": "1" }))).type).toBe("reset");
});

test("a stop of the server ends the streams", async () => {
  const own = await startControlBox();
  const headers = { authorization: `Bearer ${own.token()}` };
  const response = await fetch(`${own.url}/api/v1/events`, { headers });
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await reader.read();
  const start = performance.now();
  await own[Symbol.asyncDispose]();
  expect((await reader.read()).done).toBe(true);
  expect(performance.now() - start).toBeLessThan(1500);
});

test("a HEAD of a stream leaves no follower behind", async () => {
  logLines = [];
  logAsked = null;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${box.url}/api/v1/apps/blog/logs?follow=1`, { method: "HEAD", headers });
  expect([response.status, await response.text()]).toEqual([200, ""]);
  expect(logAsked === null || logLeft).toBe(true);
});
