import type { RouteCall } from "../route.ts";
import type { SealContext } from "../security/vault/vault.ts";
import { signedIn } from "./perform.ts";

/** How long a form may lie open. */
const GOOD_FOR_MS = 3600_000;

/**
 * What a form must bring back and its page must not show: sealed for this person, for an hour. Pages stay without
 * state, and a secret goes over the wire once.
 */
export async function sealField(call: RouteCall, value: object): Promise<string> {
  const { vault } = call.parts;
  await vault.ready();
  const text = JSON.stringify({ until: Date.now() + GOOD_FOR_MS, value });
  return Buffer.from(vault.seal(text, contextOf(call))).toString("base64url");
}

/** null for what this box did not seal for this person, or too long ago. */
export async function openField<Value>(call: RouteCall, field: string | undefined): Promise<Value | null> {
  if (!field) return null;
  const { vault } = call.parts;
  await vault.ready();
  try {
    const bytes = vault.open(Buffer.from(field, "base64url"), contextOf(call));
    const { until, value } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return until > Date.now() ? (value as Value) : null;
  } catch {
    // Typed by hand, or from before the key changed: as if nothing had come.
    return null;
  }
}

const contextOf = (call: RouteCall): SealContext => ({
  app: "",
  environment: "",
  name: `form:${signedIn(call).id}`,
  version: 1,
});
