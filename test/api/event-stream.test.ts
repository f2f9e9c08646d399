import { expect, test } from "bun:test";
import { Bell } from "../../src/api/bell.ts";
import { eventStream, type Frame, writeFrame } from "../../src/api/event-stream.ts";

const never = new AbortController().signal;
const text = (response: Response) => response.text();

test("writeFrame gives each line of data a line of its own and lets nothing break out of a field", () => {
  expect(writeFrame({ id: 7, event: "log", data: "a\nb\r\nc\rd\n" })).toBe(
    "id: 7\nevent: log\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
  );
  expect(writeFrame({ id: "1\ndata: x", event: "e\r\nid: 9", data: "" })).toBe(
    "id: 1 data: x\nevent: e  id: 9\ndata: \n\n",
  );
});

test("eventStream ends with its frames", async () => {
  const response = eventStream(
    async function* () {
      yield { data: "one" };
      yield { id: 2, data: "two" };
    },
    { signal: never },
  );
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(await text(response)).toBe("retry: 1000\n\ndata: one\n\nid: 2\ndata: two\n\n");
});

test("eventStream keeps a silent connection alive with comments and loses no frame over them", async () => {
  const bell = new Bell();
  const response = eventStream(
    async function* () {
      await bell.rung(never);
      yield { data: "late" };
    },
    { signal: never, heartbeatMs: 5 },
  );
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  expect([await next(), await next(), await next()]).toEqual([
    "retry: 1000\n\n",
    ": still here\n\n",
    ": still here\n\n",
  ]);
  bell.ring();
  let frame = await next();
  while (frame.startsWith(":")) frame = await next();
  expect(frame).toBe("data: late\n\n");
});

test("eventStream says why it breaks, without a foreign message", async () => {
  const response = eventStream(
    // biome-ignore lint/correctness/useYield: it breaks before it could
    async function* (): AsyncGenerator<Frame> {
      throw new Error("hunter2");
    },
    { signal: never },
  );
  const body = await text(response);
  expect(body).toContain('event: error\ndata: {"code":"internal"');
  expect(body).not.toContain("hunter2");
});

test("eventStream asks for no frame before the client reads, and ends the source when it leaves", async () => {
  const seen: string[] = [];
  const response = eventStream(
    async function* (signal) {
      seen.push("begun");
      try {
        for (;;) yield { data: "x".repeat(1000) };
      } finally {
        seen.push(signal.aborted ? "left" : "ended");
      }
    },
    { signal: never },
  );
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  for (let read = 0; read < 10; read++) await reader.read();
  await reader.cancel();
  expect(seen).toEqual(["begun", "left"]);
});

test("Bell loses no ring between two waits and wakes at an abort or after the time", async () => {
  const bell = new Bell();
  bell.ring();
  bell.ring();
  await bell.rung(never);
  const stop = new AbortController();
  const waiting = bell.rung(stop.signal);
  stop.abort();
  await waiting;
  await bell.rung(never, 1);
});
