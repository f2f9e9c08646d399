import type { RouteMetrics } from "../../proxy/protocol.ts";
import type { Store } from "../../store/store.ts";
import { addHistogram } from "./latency.ts";

/** What was counted in one slot of time. */
export interface RequestSlot {
  /** Unix seconds. */
  start: number;
  requests: number;
  status_1xx: number;
  status_2xx: number;
  status_3xx: number;
  status_4xx: number;
  status_5xx: number;
  bytes_in: number;
  bytes_out: number;
  /** Sum of all durations. */
  total_ms: number;
  /** The most that were open whenever the data plane reported, every ten seconds. */
  in_flight: number;
  /** Counts by latency bound. */
  histogram: number[];
}

type Row = Omit<RequestSlot, "histogram"> & { histogram: string };

export interface Totals {
  /** Unix seconds. */
  start: number;
  requests: number;
  errors: number;
}

/** Lengths of the slots that are kept, and for how long; seconds, finest first. */
const KEPT: readonly { length_s: number; kept_s: number }[] = [
  { length_s: 10, kept_s: 3600 },
  { length_s: 60, kept_s: 24 * 3600 },
  { length_s: 3600, kept_s: 90 * 24 * 3600 },
];

const SUMS = [
  "requests",
  "status_1xx",
  "status_2xx",
  "status_3xx",
  "status_4xx",
  "status_5xx",
  "bytes_in",
  "bytes_out",
  "total_ms",
] as const;

const COLUMNS = ["start", ...SUMS, "in_flight", "histogram"].join(", ");

/** How much was asked of each environment, and how it was answered. */
export class RequestSlots {
  constructor(private readonly store: Store) {}

  /** Adds a report of the data plane to the slots it falls into: one transaction, whatever its size. */
  count(reports: readonly RouteMetrics[], at = Date.now()): void {
    const byEnvironment = new Map<string, RequestSlot>();
    for (const report of reports) {
      const id = report.route.split("/", 1)[0] ?? "";
      const sum = byEnvironment.get(id) ?? emptySlot(0);
      // What is open at several routes of one environment is open side by side.
      const open = sum.in_flight + report.in_flight;
      add(sum, fromReport(report));
      sum.in_flight = open;
      byEnvironment.set(id, sum);
    }
    this.store.transaction(() => {
      for (const [id, counted] of byEnvironment) {
        if (!this.store.get("select 1 from environments where id = $id", { id })) continue;
        for (const { length_s } of KEPT) this.addTo(id, length_s, at, counted);
      }
    });
  }

  /** The last `period_s` in slots of `interval_s`, oldest first, empty ones too; the last one is not over yet. */
  history(environmentId: string, period_s: number, interval_s: number, now = Date.now()): RequestSlot[] {
    const count = Math.ceil(period_s / interval_s);
    const first = (Math.floor(now / 1000 / interval_s) - count + 1) * interval_s;
    const slots = Array.from({ length: count }, (_, i) => emptySlot(first + i * interval_s));
    for (const row of this.rows(environmentId, finest(period_s, interval_s), first)) {
      const slot = slots[Math.floor((row.start - first) / interval_s)];
      if (slot) add(slot, { ...row, histogram: JSON.parse(row.histogram) });
    }
    return slots;
  }

  /** Requests and server errors of the last day in slots of `interval_s`, without those that had none; cheap. */
  totals(environmentId: string, interval_s: number, now = Date.now()): Totals[] {
    return this.store.all<Totals>(
      `select start / $interval_s * $interval_s as start, sum(requests) as requests, sum(status_5xx) as errors
       from request_slots where environment_id = $environmentId and length_s = 60 and start >= $from
       group by 1 order by 1`,
      { environmentId, interval_s, from: Math.floor(now / 1000) - 24 * 3600 },
    );
  }

  /** Drops what was kept for its time. */
  forget(now = Date.now()): void {
    for (const { length_s, kept_s } of KEPT)
      this.store.run("delete from request_slots where length_s = $length_s and start < $before", {
        length_s,
        before: Math.floor(now / 1000) - kept_s - length_s,
      });
  }

  private rows(environmentId: string, length_s: number, from: number): Row[] {
    return this.store.all<Row>(
      `select ${COLUMNS} from request_slots where environment_id = $environmentId and length_s = $length_s and start >= $from
       order by start`,
      { environmentId, length_s, from },
    );
  }

  private addTo(environmentId: string, length_s: number, at: number, counted: RequestSlot): void {
    const start = Math.floor(at / 1000 / length_s) * length_s;
    const known = this.store.get<Row>(
      `select ${COLUMNS} from request_slots where environment_id = $environmentId and length_s = $length_s
       and start = $start`,
      { environmentId, length_s, start },
    );
    const sum = known ? { ...known, histogram: JSON.parse(known.histogram) as number[] } : emptySlot(start);
    add(sum, counted);
    this.store.run(
      `insert or replace into request_slots (environment_id, length_s, start, requests, status_1xx, status_2xx,
         status_3xx, status_4xx, status_5xx, bytes_in, bytes_out, total_ms, in_flight, histogram)
       values ($environmentId, $length_s, $start, $requests, $status_1xx, $status_2xx, $status_3xx, $status_4xx,
         $status_5xx, $bytes_in, $bytes_out, $total_ms, $in_flight, $histogram)`,
      { ...sum, environmentId, length_s, start, histogram: JSON.stringify(sum.histogram) },
    );
  }
}

/** Adds what was counted elsewhere at the same time or later. */
export function add(into: RequestSlot, more: RequestSlot): void {
  for (const name of SUMS) into[name] += more[name];
  into.in_flight = Math.max(into.in_flight, more.in_flight);
  addHistogram(into.histogram, more.histogram);
}

export function emptySlot(start: number): RequestSlot {
  const zeros = Object.fromEntries(SUMS.map((name) => [name, 0])) as Record<(typeof SUMS)[number], number>;
  return { ...zeros, start, in_flight: 0, histogram: [] };
}

function fromReport({ status, ...report }: RouteMetrics): RequestSlot {
  return {
    start: 0,
    requests: report.requests,
    status_1xx: status["1xx"],
    status_2xx: status["2xx"],
    status_3xx: status["3xx"],
    status_4xx: status["4xx"],
    status_5xx: status["5xx"],
    bytes_in: report.bytes_in,
    bytes_out: report.bytes_out,
    // A data plane of an older version does not say.
    total_ms: report.total_ms ?? 0,
    in_flight: 0,
    histogram: report.histogram_ms,
  };
}

/** The finest slots that are kept for so long and that fit into the interval. */
function finest(period_s: number, interval_s: number): number {
  const fitting = KEPT.filter(({ length_s }) => interval_s % length_s === 0);
  return (fitting.find(({ kept_s }) => kept_s >= period_s) ?? fitting.at(-1) ?? KEPT[0]!).length_s;
}
