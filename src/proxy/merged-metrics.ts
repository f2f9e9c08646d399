import type { RouteMetrics } from "./protocol.ts";

type StatusClass = keyof RouteMetrics["status"];

/** Counts of several workers made into those of one. */
export class MergedMetrics {
  private merged = new Map<string, RouteMetrics>();
  /** Per worker: the last that was heard of open requests, as a worker reports only what changed. */
  private readonly inFlight = new Map<unknown, Map<string, number>>();

  add(worker: unknown, routes: RouteMetrics[]): void {
    const open = this.inFlight.get(worker) ?? new Map<string, number>();
    this.inFlight.set(worker, open);
    for (const metrics of routes) {
      open.set(metrics.route, metrics.in_flight);
      const sum = this.merged.get(metrics.route);
      if (sum === undefined) this.merged.set(metrics.route, metrics);
      else addTo(sum, metrics);
    }
  }

  /** The worker is gone, and with it what was open in it. */
  forget(worker: unknown): void {
    this.inFlight.delete(worker);
  }

  take(): RouteMetrics[] {
    const taken = [...this.merged.values()];
    this.merged = new Map();
    for (const metrics of taken) {
      metrics.in_flight = 0;
      for (const open of this.inFlight.values()) metrics.in_flight += open.get(metrics.route) ?? 0;
    }
    return taken;
  }
}

function addTo(sum: RouteMetrics, more: RouteMetrics): void {
  sum.requests += more.requests;
  sum.total_ms += more.total_ms;
  sum.bytes_in += more.bytes_in;
  sum.bytes_out += more.bytes_out;
  for (const name of Object.keys(sum.status) as StatusClass[]) sum.status[name] += more.status[name];
  sum.histogram_ms = sum.histogram_ms.map((count, i) => count + (more.histogram_ms[i] ?? 0));
}
