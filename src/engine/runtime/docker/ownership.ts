import { conflict, type DiploError } from "../../../errors.ts";
import type { OwnerLabels } from "../container-runtime.ts";

export const BOX_LABEL = "diplo.box";
/** Fingerprint of the specification a container was made from. */
export const SPEC_LABEL = "diplo.spec";

/** Labels as the engine stores them: `diplo.app`, …, and always `diplo.box`. */
export function engineLabels(boxId: string, labels: Partial<OwnerLabels>): Record<string, string> {
  const named = Object.entries(labels)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [`diplo.${key}`, value]);
  return { ...Object.fromEntries(named), [BOX_LABEL]: boxId };
}

/** Filter of the engine's listings: everything of this box that bears these labels. */
export function labelFilter(boxId: string, labels: Partial<OwnerLabels> = {}): { label: string[] } {
  return { label: Object.entries(engineLabels(boxId, labels)).map(([key, value]) => `${key}=${value}`) };
}

export function isOurs(boxId: string, labels: Record<string, string> | null | undefined): boolean {
  return labels?.[BOX_LABEL] === boxId;
}

/** Something of somebody else has the name we need, or we were told to touch what is not ours. */
export function notOurs(kind: string, name: string): DiploError {
  return conflict(
    "not_ours",
    `${kind} "${name}" exists in the engine but was not made by this Diplo; it is left alone`,
    `Rename or remove it, then try again.`,
  );
}
