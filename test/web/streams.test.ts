import { afterEach, expect, test } from "bun:test";
import { DONE } from "../../src/jobs/job.ts";
import { answerEvents } from "../../src/web/event-stream.ts";
import { deployment, startWebBox, type WebBox } from "./web-box.ts";

let web: WebBox | undefined;
afterEach(async () => {
  await web?.[Symbol.asyncDispose]();
  web = undefined;
});

interface Event {
  event: string;
  id: string | undefined;
  data: string;
}

function eventsOf(text: string): Event[] {
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const lines = block.split("\n");
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      return { event: field("event")[0] ?? "", id: field("id")[0], data: field("data").join("\n") };
    });
}

/** A box whose one deployment is a real job that writes two lines and ends. */
async function deploying(): Promise<WebBox> {
  let status: "building" | "success" = "building";
  const deployments = { get: () => ({ ...deployment, status, step: status }), list: () => [] };
  const box = await startWebBox({ deployments });
  const { jobs } = box.box.parts;
  jobs.register({
    name: "deployment",
    steps: {
      building: {
        deadlineMs: 5000,
        run: async ({ log }) => {
          log.line("\x1b[32mstep one\x1b[0m");
          log.line("<script>alert(1)</script>");
          log.flush();
          status = "success";
          return { next: DONE };
        },
      },
    },
  });
  jobs.enqueue({
    id: deployment.id,
    kind: "deployment",
    lane: "l",
    subject: null,
    step: "building",
    state: {},
    createdBy: "owner",
  });
  return box;
}

test("GET /deployments/:id/stream sends the log as markup, the parts anew, and the end", async () => {
  web = await deploying();
  const answer = web.get(`/deployments/${deployment.id}/stream?after=0`);
  web.box.parts.jobs.start();
  const response = await answer;
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events = eventsOf(await response.text());
  const log = events
    .filter(({ event }) => event === "log")
    .map(({ data }) => data)
    .join("");
  expect(log).toContain('<span class="f2">step one</span>');
  expect(log).toContain("&lt;script&gt;");
  expect(log).not.toContain("<script>");
  const parts = events
    .filter(({ event }) => event === "part")
    .map(({ data }) => data)
    .join("");
  for (const id of ["app-head", "deployment-summary", "deployment-phases"])
    expect(parts).toContain(`id="${id}"`);
  expect(events.at(-1)?.event).toBe("end");
});

test("GET /deployments/:id/stream goes on after the byte that was seen", async () => {
  web = await deploying();
  const { jobs } = web.box.parts;
  jobs.start();
  await jobs.wait(deployment.id);
  const stream = async (after: string) =>
    eventsOf(await (await (web as WebBox).get(`/deployments/${deployment.id}/stream?after=${after}`)).text());
  const all = (await stream("0")).filter(({ event }) => event === "log");
  const end = all.at(-1)?.id as string;
  expect(Number(end)).toBeGreaterThan(20);
  expect((await stream(end)).filter(({ event }) => event === "log")).toEqual([]);
});

test("a stream of an unknown app is refused before it begins", async () => {
  web = await startWebBox();
  expect((await web.get("/apps/nobody/logs/stream")).status).toBe(404);
});

test("answerEvents keeps the lines of its data, beats, and tells the producer that the reader left", async () => {
  const left = Promise.withResolvers<void>();
  const controller = new AbortController();
  const request = new Request("http://box/", { signal: controller.signal });
  const answer = answerEvents(request, async (stream) => {
    stream.send("log", "one\ntwo", "7");
    stream.signal.addEventListener("abort", () => left.resolve());
    await left.promise;
  });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!text.includes("two\n\n")) text += new TextDecoder().decode((await reader.read()).value);
  expect(eventsOf(text.replace(/^:\n\n/, ""))).toEqual([{ event: "log", id: "7", data: "one\ntwo" }]);
  await reader.cancel();
  await left.promise;
});

test("answerEvents tells a producer's fault and ends, so that the browser tries again", async () => {
  const answer = answerEvents(new Request("http://box/"), async () => {
    throw Object.assign(new Error("x"), { detail: "The engine does not answer." });
  });
  expect(eventsOf(await answer.text()).at(-1)).toMatchObject({
    event: "trouble",
    data: "The engine does not answer.",
  });
});
