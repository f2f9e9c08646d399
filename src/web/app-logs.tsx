import type { LogLineView } from "../../ui/components/log-view.tsx";
import { logLines } from "../../ui/components/log-view.tsx";
import { AppLogsPage } from "../../ui/pages/app-logs.tsx";
import { DiploError } from "../errors.ts";
import { info } from "../product/apps/operations.ts";
import type { AppLogLine } from "../product/instances/merge-logs.ts";
import { list as listInstances } from "../product/instances/operations.ts";
import { type LogSource, linesFrom } from "../product/log-source.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerEvents, type EventStream } from "./event-stream.ts";
import { answerPage } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";

const SHOWN_LINES = 500;
const MISSED_LINES = 5000;
const BATCH_MS = 100;

async function show(call: RouteCall): Promise<Response> {
  const ref = call.params.app ?? "";
  const app = await perform(info, { app: ref }, call);
  const source = sourceOf(call);
  const [{ lines, trouble }, instances] = await Promise.all([
    pastLines(call, ref, source),
    source === "app" ? performOrNull(listInstances, { app: ref }, call) : null,
  ]);
  const names = new Set([
    ...lines.map((line) => line.instance),
    ...(instances ?? []).map((each) => `${each.process}.${each.slot}`),
  ]);
  const body = (
    <AppLogsPage
      app={app}
      source={source}
      accessLog={app.settings.access_log !== "off"}
      lines={lines.map(lineOf)}
      instances={[...names].sort()}
      after={lines.at(-1)?.at ?? new Date().toISOString()}
      trouble={trouble}
    />
  );
  return answerPage(call.request, signedIn(call), { title: `Logs of ${app.name}`, section: "apps", body });
}

/** What a hand-written address asks for in error is the app's own log. */
const sourceOf = ({ query }: RouteCall): LogSource => (query.get("source") === "router" ? "router" : "app");

const lineOf = ({ text, at, instance, stream }: AppLogLine): LogLineView => ({ text, at, instance, stream });

/** What was written so far; an engine that does not answer is told on the page, which is worth seeing all the same. */
async function pastLines(
  { parts, request }: RouteCall,
  ref: string,
  source: LogSource,
): Promise<{ lines: AppLogLine[]; trouble: string | null }> {
  const lines: AppLogLine[] = [];
  try {
    const options = { lines: SHOWN_LINES, signal: request.signal };
    for await (const line of linesFrom(source, parts, ref, options)) lines.push(line);
    return { lines, trouble: null };
  } catch (error) {
    if (!(error instanceof DiploError)) throw error;
    return { lines, trouble: error.detail };
  }
}

function stream(call: RouteCall): Response {
  const after = call.request.headers.get("last-event-id") ?? call.query.get("after") ?? "";
  // Refuses an unknown app before the stream begins: afterwards no status can be told any more.
  call.parts.environments.find(call.params.app ?? "");
  return answerEvents(call.request, (events) => follow(call, after, events));
}

async function follow(call: RouteCall, after: string, events: EventStream): Promise<void> {
  const { parts, params } = call;
  const batch = new Batch(events);
  const since = after === "" ? {} : { since: after, lines: MISSED_LINES };
  try {
    for await (const line of linesFrom(sourceOf(call), parts, params.app ?? "", {
      ...since,
      follow: true,
      signal: events.signal,
    })) {
      if (line.at > after) batch.add(line);
      await events.room();
    }
  } finally {
    batch.flush();
  }
}

/** Lines that come close together travel together. */
class Batch {
  #lines: AppLogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly events: EventStream) {}

  add(line: AppLogLine): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#lines.splice(0);
    const last = lines.at(-1);
    if (last) this.events.send("log", logLines(lines.map(lineOf)), last.at);
  }
}

export const appLogsRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/logs",
    permission: "logs:read",
    reason: "page: what an app's instances write, or its access log",
    page: true,
    handle: show,
  },
  {
    method: "GET",
    path: "/apps/:app/logs/stream",
    permission: "logs:read",
    reason: "event stream: the same as markup, as it comes",
    handle: stream,
  },
];
