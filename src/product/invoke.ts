import { DiploError } from "../errors.ts";
import { type Actor, authorise, type Operation, Reply } from "../operation.ts";
import type { AuditEntry } from "../security/audit/audit.ts";
import type { Parts } from "./parts.ts";
import { readInput } from "./read-input.ts";

/**
 * The one way in to an operation, for every door: authorise, read the input, run, audit. Answers the operation's
 * value or its Reply. Throws `forbidden`, `invalid` and whatever the operation throws.
 */
export async function invoke(
  operation: Operation,
  raw: Record<string, unknown>,
  actor: Actor,
  parts: Parts,
  signal: AbortSignal,
): Promise<unknown> {
  authorise(actor, operation.permission);
  const input = readInput(operation.input, raw) as Record<string, unknown>;
  const { audit } = operation;
  const action = typeof audit === "function" ? audit(input) : audit;
  const note = (outcome: AuditEntry["outcome"], facts: Record<string, unknown> = {}) => {
    if (action === undefined) return;
    const detail = { ...auditDetail(operation, input), ...facts };
    const target = auditTarget(operation, input);
    parts.audit.record({ actor, action, target, detail, outcome, ip: actor.ip });
  };
  const answer = await run(operation, input, actor, parts, signal).catch((error) => {
    note(signal.aborted ? "left" : "failed", {
      error: error instanceof DiploError ? error.code : "internal",
    });
    throw error;
  });
  const refused = answer instanceof Reply && answer.status >= 400;
  note(refused ? "failed" : "done");
  return answer;
}

// Async, so that a synchronous throw of `run` is a rejection like any other.
async function run(
  operation: Operation,
  input: Record<string, unknown>,
  actor: Actor,
  parts: Parts,
  signal: AbortSignal,
): Promise<unknown> {
  return operation.run({ input, actor, signal }, parts);
}

/** What it was done to: the path's first parameter, else the first positional argument. */
function auditTarget(
  { path, args, private: hidden = [] }: Operation,
  input: Record<string, unknown>,
): string {
  const name = /:(\w+)/.exec(path)?.[1] ?? args?.find((arg) => !hidden.includes(arg));
  return name === undefined ? "" : withoutCredentials(input[name] ?? "");
}

function auditDetail(
  { private: hidden = [], bodyAs }: Operation,
  input: Record<string, unknown>,
): Record<string, unknown> {
  const shown = Object.entries(input).filter(([name]) => !hidden.includes(name));
  const detail = Object.fromEntries(shown.map(([name, value]) => [name, short(value)]));
  // Which names were changed is worth knowing; their values are not for here.
  const body = bodyAs && hidden.includes(bodyAs) ? input[bodyAs] : null;
  return body && typeof body === "object" ? { ...detail, names: Object.keys(body).slice(0, 200) } : detail;
}

const LONGEST = 500;

function short(value: unknown): unknown {
  if (typeof value === "string") return withoutCredentials(value);
  const text = JSON.stringify(value) ?? "";
  return text.length <= LONGEST ? value : `${text.slice(0, LONGEST)}…`;
}

// A repository's address may carry a password; it is no private field for that.
function withoutCredentials(value: unknown): string {
  return String(value)
    .replace(/\/\/[^/@\s]*@/g, "//***@")
    .slice(0, LONGEST);
}
