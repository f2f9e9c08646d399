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

/**
 * The name of a deployment's image. A pulled image bears no label of ours, and a person may have it under names of
 * their own: what is ours is this name, so the box's id is part of it.
 */
export function ownTag(boxId: string, app: string, deployment: string): string {
  return `diplo/${app}:${tagPrefix(boxId)}${deployment.toLowerCase()}`;
}

/** Podman shows names without a registry as `localhost/…`. */
export function isOwnTag(boxId: string, tag: string): boolean {
  return (
    /^(?:localhost\/|docker\.io\/)?diplo\/[^/:@]+:(.*)$/.exec(tag)?.[1]?.startsWith(tagPrefix(boxId)) ?? false
  );
}

/** As the engine's filter of references has it. */
export const ownTagPattern = (boxId: string): string => `diplo/*:${tagPrefix(boxId)}*`;

const tagPrefix = (boxId: string): string => `${boxId.toLowerCase()}-`;
