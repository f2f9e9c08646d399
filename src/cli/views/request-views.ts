import type { RequestsInSlot } from "../../product/requests/request-body.ts";
import { table } from "../table.ts";
import type { View } from "./view-facts.ts";

const ms = (value: number | null): string => (value === null ? "-" : value.toFixed(1));

/** Slots in which something was asked; times in UTC, as the API has them. */
export const requestList: View<RequestsInSlot[]> = (slots) => {
  const used = slots.filter(({ requests }) => requests > 0);
  if (used.length === 0) return "No requests in this time.\n";
  return table<RequestsInSlot>(
    [
      { title: "FROM (UTC)", cell: ({ timestamp }) => timestamp.slice(0, 19).replace("T", " ") },
      { title: "REQUESTS", cell: ({ requests }) => String(requests), right: true },
      { title: "4XX", cell: ({ status }) => String(status["4xx"]), right: true },
      { title: "5XX", cell: ({ status }) => String(status["5xx"]), right: true },
      { title: "P50 MS", cell: ({ p50_ms }) => ms(p50_ms), right: true },
      { title: "P95 MS", cell: ({ p95_ms }) => ms(p95_ms), right: true },
      { title: "P99 MS", cell: ({ p99_ms }) => ms(p99_ms), right: true },
    ],
    used,
  );
};
