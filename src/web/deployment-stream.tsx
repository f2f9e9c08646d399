import { logLines } from "../../ui/components/log-view.tsx";
import {
  type DeploymentPartsView,
  deploymentParts,
  isUnderWay,
} from "../../ui/partials/deployment-parts.tsx";
import type { RouteCall } from "../route.ts";
import { answerEvents, type EventStream } from "./event-stream.ts";
import { linesOf } from "./log-tail.ts";

/** Lines are gathered this long and sent as one event: thousands of small ones would choke the browser. */
const BATCH_MS = 100;

/** Phases and log of a running deployment, as markup, until it has ended. */
export function streamDeployment(
  call: RouteCall,
  jobId: string,
  view: () => Promise<DeploymentPartsView>,
): Response {
  const after = Number(call.request.headers.get("last-event-id") ?? call.query.get("after") ?? 0) || 0;
  return answerEvents(call.request, (stream) => follow(call, jobId, view, stream, after));
}

async function follow(
  { parts: { jobs, events } }: RouteCall,
  jobId: string,
  view: () => Promise<DeploymentPartsView>,
  stream: EventStream,
  after: number,
): Promise<void> {
  const news = new News();
  using _log = jobs.onLog(jobId, () => news.tell());
  using _events = events.subscribe((event) => {
    if (event.payload.job_id === jobId) news.tell();
  });
  const parts = new SentParts(stream);
  for (let offset = after; !stream.signal.aborted; ) {
    const over = jobs.isOver(jobId);
    offset = await sendLog(jobs.log(jobId), offset, stream);
    const fresh = await view();
    parts.send(fresh);
    if (over && !isUnderWay(fresh.deployment.status)) return stream.send("end", "");
    await news.next(stream.signal);
  }
}

async function sendLog(
  log: { read(from: number): Promise<{ text: string; next: number }> },
  from: number,
  stream: EventStream,
): Promise<number> {
  for (let offset = from; ; ) {
    const { text, next } = await log.read(offset);
    if (next === offset) return offset;
    await stream.room();
    stream.send("log", logLines(linesOf(text)), String(next));
    offset = next;
  }
}

/** Sends a part only when it says something new: time passing is the browser's to tell. */
class SentParts {
  #sent: string[] = [];

  constructor(private readonly stream: EventStream) {}

  send(view: DeploymentPartsView): void {
    const still = deploymentParts({ ...view, now: 0 }) as string[];
    const fresh = deploymentParts(view) as string[];
    for (const [i, part] of fresh.entries()) if (still[i] !== this.#sent[i]) this.stream.send("part", part);
    this.#sent = still;
  }
}

/** Wakes the reader when something happened, but not more often than once per batch; looks anyway every second. */
class News {
  #fresh = false;
  #wake: (() => void) | null = null;

  tell(): void {
    this.#fresh = true;
    this.#wake?.();
  }

  async next(signal: AbortSignal): Promise<void> {
    await Bun.sleep(BATCH_MS);
    if (!this.#fresh && !signal.aborted) await this.#woken(signal);
    this.#fresh = false;
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, 1000);
      signal.addEventListener("abort", done);
      this.#wake = done;
    });
  }
}
