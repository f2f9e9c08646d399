import { type Static, Type as t } from "@sinclair/typebox";
import { iso, Time } from "../schema.ts";
import { percentile } from "./latency.ts";
import type { RequestSlot } from "./request-slots.ts";

const Milliseconds = t.Union([t.Number(), t.Null()]);

export const RequestsInSlot = t.Object({
  timestamp: Time,
  requests: t.Integer(),
  /** Answers 5xx. */
  errors: t.Integer(),
  status: t.Object({
    "1xx": t.Integer(),
    "2xx": t.Integer(),
    "3xx": t.Integer(),
    "4xx": t.Integer(),
    "5xx": t.Integer(),
  }),
  avg_ms: Milliseconds,
  p50_ms: Milliseconds,
  p95_ms: Milliseconds,
  p99_ms: Milliseconds,
  bytes_in: t.Integer(),
  bytes_out: t.Integer(),
  in_flight: t.Integer({ description: "The most that were open when the proxy reported, every 10 s" }),
});
export type RequestsInSlot = Static<typeof RequestsInSlot>;

/** A slot as the API shows it. */
export function requestBody(slot: RequestSlot): RequestsInSlot {
  const rounded = (ms: number | null) => (ms === null ? null : Math.round(ms * 10) / 10);
  return {
    timestamp: iso(slot.start * 1000),
    requests: slot.requests,
    errors: slot.status_5xx,
    status: {
      "1xx": slot.status_1xx,
      "2xx": slot.status_2xx,
      "3xx": slot.status_3xx,
      "4xx": slot.status_4xx,
      "5xx": slot.status_5xx,
    },
    avg_ms: slot.requests === 0 ? null : rounded(slot.total_ms / slot.requests),
    p50_ms: rounded(percentile(slot.histogram, 0.5)),
    p95_ms: rounded(percentile(slot.histogram, 0.95)),
    p99_ms: rounded(percentile(slot.histogram, 0.99)),
    bytes_in: slot.bytes_in,
    bytes_out: slot.bytes_out,
    in_flight: slot.in_flight,
  };
}
