import { type DiploError, PermanentError } from "../errors.ts";
import type { JobRow, Patch, Step } from "./job.ts";
import type { JobLog } from "./job-log.ts";
import { settles } from "./settle.ts";

/** Why a step was told to stop. */
export type AbortReason = "cancel" | "deadline" | "shutdown";

/** `reason`: what cut the step short; null when it failed by itself. */
export type Attempted = { patch: Patch<unknown> } | { error: unknown; reason: AbortReason | null };

export interface AttemptOptions {
  /** Aborted with "cancel" or "shutdown". */
  signal: AbortSignal;
  log: JobLog;
  report: (message: string, fraction: number) => void;
  /** How long an aborted step may take to settle before it is left behind. */
  settleMs?: number;
  /** Called after a step's side effects and before its commit: where a crash test pulls the plug. */
  beforeCommit?: (job: JobRow, patch: Patch<unknown>) => void | Promise<void>;
}

const DEFAULT_SETTLE_MS = 15_000;

/** Runs a step once, within its deadline; nothing is committed yet. */
export async function attemptStep(
  job: JobRow,
  step: Step<never>,
  { signal: told, log, report, settleMs = DEFAULT_SETTLE_MS, beforeCommit }: AttemptOptions,
): Promise<Attempted> {
  const state = JSON.parse(job.state) as never;
  const deadlineMs = typeof step.deadlineMs === "function" ? step.deadlineMs(state) : step.deadlineMs;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort("deadline" satisfies AbortReason), deadlineMs);
  const signal = AbortSignal.any([told, deadline.signal]);
  try {
    const work = step.run({
      job,
      state,
      attempt: job.attempt,
      signal,
      log,
      progress: (message, fraction = 0) => report(message, fraction),
    });
    const patch = (await settles(work, signal, settleMs)) as Patch<unknown>;
    log.flush();
    await beforeCommit?.(job, patch);
    return { patch };
  } catch (error) {
    const reason = signal.aborted ? (signal.reason as AbortReason) : null;
    return { error: reason === "deadline" ? deadlineError(job, step) : error, reason };
  } finally {
    log.flush();
    clearTimeout(timer);
  }
}

function deadlineError(job: JobRow, step: Step<never>): DiploError {
  return (
    step.onDeadline?.(JSON.parse(job.state) as never) ??
    new PermanentError("step_timeout", `${job.step} did not end in time`, {
      detail: `The step "${job.step}" took longer than it may.`,
    })
  );
}
