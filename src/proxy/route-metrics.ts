import type { Uses } from "./carrier.ts";
import type { RouteMetrics } from "./protocol.ts";

/** Upper bounds of the latency histogram in milliseconds; one more counter holds everything above. */
export const HISTOGRAM_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** Counters of one route since the last report. Constant cost per request, whatever happens. */
export class RouteCounters {
  inFlight = 0;
  private requests = 0;
  private readonly classes = new Float64Array(5);
  private readonly histogram = new Float64Array(HISTOGRAM_MS.length + 1);
  private totalMs = 0;
  private bytesIn = 0;
  private bytesOut = 0;
  private reportedInFlight = 0;
  private reportedRequests = 0;

  record(status: number, durationMs: number, bytesIn: number, bytesOut: number): void {
    this.requests++;
    this.totalMs += durationMs;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    const statusClass = Math.floor(status / 100) - 1;
    if (statusClass >= 0 && statusClass < 5) this.classes[statusClass]!++;
    let bucket = 0;
    while (bucket < HISTOGRAM_MS.length && durationMs > HISTOGRAM_MS[bucket]!) bucket++;
    this.histogram[bucket]!++;
  }

  get uses(): Uses {
    return { ended: this.reportedRequests + this.requests, open: this.inFlight };
  }

  /** What changed since the last call, counters set back; `undefined` when nothing did. */
  take(route: string): RouteMetrics | undefined {
    if (this.requests === 0 && this.inFlight === this.reportedInFlight) return undefined;
    const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = this.classes;
    const report: RouteMetrics = {
      route,
      requests: this.requests,
      status: { "1xx": c1, "2xx": c2, "3xx": c3, "4xx": c4, "5xx": c5 },
      histogram_ms: [...this.histogram],
      total_ms: Math.round(this.totalMs),
      bytes_in: this.bytesIn,
      bytes_out: this.bytesOut,
      in_flight: this.inFlight,
    };
    this.reportedInFlight = this.inFlight;
    this.reportedRequests += this.requests;
    this.requests = this.totalMs = this.bytesIn = this.bytesOut = 0;
    this.classes.fill(0);
    this.histogram.fill(0);
    return report;
  }
}
