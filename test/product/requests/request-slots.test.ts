import { beforeEach, describe, expect, test } from "bun:test";
import type { Environment } from "../../../src/product/environments/environments.ts";
import { percentile } from "../../../src/product/requests/latency.ts";
import { RequestSlots } from "../../../src/product/requests/request-slots.ts";
import type { RouteMetrics } from "../../../src/proxy/protocol.ts";
import { product } from "../../support/product.ts";

const NOW = Date.parse("2026-11-21T12:00:05.000Z");
const HISTOGRAM = [5, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];

let environment: Environment;
let slots: RequestSlots;

beforeEach(async () => {
  const { store, environments } = await product();
  environment = await environments.create("blog", "me");
  slots = new RequestSlots(store);
});

const report = (more: Partial<RouteMetrics> = {}): RouteMetrics => ({
  route: `${environment.id}/web`,
  requests: 10,
  status: { "1xx": 1, "2xx": 5, "3xx": 1, "4xx": 2, "5xx": 1 },
  histogram_ms: HISTOGRAM,
  total_ms: 500,
  bytes_in: 100,
  bytes_out: 2000,
  in_flight: 3,
  ...more,
});

describe("RequestSlots", () => {
  test("adds reports of the same time up, at every length that is kept", () => {
    slots.count([report()], NOW);
    slots.count([report({ in_flight: 1 })], NOW + 1000);
    for (const [period, interval] of [
      [3600, 10],
      [3600, 30],
      [24 * 3600, 900],
      [90 * 24 * 3600, 24 * 3600],
    ] as const) {
      const history = slots.history(environment.id, period, interval, NOW + 2000);
      expect(history).toHaveLength(Math.ceil(period / interval));
      expect(history.at(-1)).toMatchObject({
        requests: 20,
        status_2xx: 10,
        status_5xx: 2,
        bytes_out: 4000,
        total_ms: 1000,
        in_flight: 3,
        histogram: HISTOGRAM.map((count) => count * 2),
      });
      expect(history.slice(0, -1).every(({ requests }) => requests === 0)).toBe(true);
    }
  });

  test("counts what is open at several routes of one environment side by side", () => {
    slots.count([report(), report({ route: `${environment.id}/web/example.org/`, in_flight: 2 })], NOW);
    expect(slots.history(environment.id, 3600, 10, NOW).at(-1)).toMatchObject({ requests: 20, in_flight: 5 });
  });

  test("puts each report in its own slot, the oldest first, and leaves out what is older", () => {
    slots.count([report({ requests: 1 })], NOW - 3600_000 - 1000);
    slots.count([report({ requests: 2 })], NOW - 1800_000);
    slots.count([report({ requests: 3 })], NOW);
    const history = slots.history(environment.id, 3600, 60, NOW);
    expect(history.filter(({ requests }) => requests > 0).map(({ requests }) => requests)).toEqual([2, 3]);
    expect(history[30 - 1]?.requests).toBe(2);
    expect(slots.totals(environment.id, 1800, NOW).map(({ requests }) => requests)).toEqual([1, 2, 3]);
  });

  test("ignores what is of no environment, and forgets with time", () => {
    slots.count([report({ route: "nobody/web" })], NOW);
    expect(slots.history("nobody", 3600, 10, NOW).at(-1)?.requests).toBe(0);
    slots.count([report()], NOW);
    slots.forget(NOW + 2 * 3600_000);
    expect(slots.history(environment.id, 3600, 10, NOW).at(-1)?.requests).toBe(0);
    expect(slots.history(environment.id, 24 * 3600, 60, NOW).at(-1)?.requests).toBe(10);
    slots.forget(NOW + 91 * 24 * 3600_000);
    expect(slots.history(environment.id, 90 * 24 * 3600, 3600, NOW).at(-1)?.requests).toBe(0);
  });

  test("takes a report of a data plane that sums no durations yet", () => {
    const { total_ms: _, ...old } = report();
    slots.count([old as RouteMetrics], NOW);
    expect(slots.history(environment.id, 3600, 10, NOW).at(-1)?.total_ms).toBe(0);
  });
});

describe("percentile", () => {
  test("reads between the bounds", () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([0, 0, 0, 10], 0.5)).toBe(7.5);
    expect(percentile([10], 1)).toBe(1);
    expect(percentile(HISTOGRAM, 0.5)).toBe(1);
    expect(percentile(HISTOGRAM, 0.8)).toBe(2);
    expect(percentile(HISTOGRAM, 0.9)).toBe(250);
  });
  test("says 10,000 for anything above", () => {
    expect(percentile(HISTOGRAM, 0.99)).toBe(10_000);
    expect(percentile([...new Array(13).fill(0), 4], 0.01)).toBe(10_000);
  });
});
