import type { RequestsInSlot } from "../../ui/components/sparkline.tsx";
import type { Parts } from "../product/parts.ts";

const SLOTS = 48;
const SLOT_S = 1800;

/** The last 24 hours of an environment's requests in half hours, oldest first. */
export function requestSlots(parts: Parts, ref: string, now = Date.now()): RequestsInSlot[] {
  const environment = parts.environments.lookup(ref);
  if (!environment) return [];
  const end = Math.floor(now / 1000 / SLOT_S) + 1;
  const slots = Array.from({ length: SLOTS }, (_, i) => ({
    start: (end - SLOTS + i) * SLOT_S * 1000,
    requests: 0,
    errors: 0,
  }));
  for (const { start, requests, errors } of parts.requests.totals(environment.id, SLOT_S, now)) {
    const slot = slots[start / SLOT_S - (end - SLOTS)];
    if (slot) Object.assign(slot, { requests, errors });
  }
  return slots;
}
