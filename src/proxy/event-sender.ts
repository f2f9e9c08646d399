import { terse } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ProxyEvent, ProxyEvents, RouteMetrics } from "./protocol.ts";

export interface EventSenderOptions {
  /** Path of control's proxy-events.sock. */
  socket: string;
  log: Log;
  /** What changed since the last call. */
  takeMetrics(): Promise<RouteMetrics[]>;
  metricsEveryMs?: number;
}

const WAKE_AGAIN_MS = 1_000;
const SEND_TIMEOUT_MS = 2_000;

/**
 * Tells control what it has to know: an app to wake, at once, and metrics, in batches. Control may be away: what cannot
 * be delivered is dropped, as it concerns the moment only, and no request ever waits for it.
 */
export class EventSender {
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly lastWake = new Map<string, number>();
  private away = false;

  constructor(private readonly options: EventSenderOptions) {}

  start(): void {
    this.timer = setInterval(() => this.sendMetrics(), this.options.metricsEveryMs ?? 10_000);
  }

  /** The last metrics go out as far as control takes them. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sendMetrics();
  }

  /** Asks once a second at most, however many requests wait. */
  wake(route: string): void {
    const now = performance.now();
    if (now - (this.lastWake.get(route) ?? Number.NEGATIVE_INFINITY) < WAKE_AGAIN_MS) return;
    this.lastWake.set(route, now);
    this.send([{ type: "wake", route, at: new Date().toISOString() }]);
  }

  private async sendMetrics(): Promise<void> {
    const routes = await this.options.takeMetrics();
    if (routes.length > 0) await this.send([{ type: "metrics", at: new Date().toISOString(), routes }]);
  }

  private async send(events: ProxyEvent[]): Promise<void> {
    const body: ProxyEvents = { events };
    try {
      const response = await fetch("http://control/events", {
        unix: this.options.socket,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      });
      await response.body?.cancel();
      this.away = false;
    } catch (error) {
      if (!this.away) this.options.log.debug("control takes no events", { error: terse(error) });
      this.away = true;
    }
  }
}
