import type { RequestsInSlot } from "../../ui/components/sparkline.tsx";
import type { Parts } from "../product/parts.ts";

const SLOTS = 48;
const SLOT_MINUTES = 30;

/** The last 24 hours of an environment's requests in half hours, oldest first. */
export function requestSlots(parts: Parts, ref: string, now = Date.now()): RequestsInSlot[] {
  const environment = parts.environments.lookup(ref);
  if (!environment) return [];
  const end = Math.floor(now / 60_000 / SLOT_MINUTES) + 1;
  const slots = Array.from({ length: SLOTS }, (_, i) => ({
    start: (end - SLOTS + i) * SLOT_MINUTES * 60_000,
    requests: 0,
    errors: 0,
  }));
  for (const { minute, requests, errors } of parts.routes.requestHistory(environment.id)) {
    const slot = slots[Math.floor(minute / SLOT_MINUTES) - (end - SLOTS)];
    if (!slot) continue;
    slot.requests += requests;
    slot.errors += errors;
  }
  return slots;
}
