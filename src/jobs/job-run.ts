import { DiploError, PermanentError, terse } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { type AbortReason, type Attempted, type AttemptOptions, attemptStep } from "./attempt-step.ts";
import { backoffMs } from "./backoff.ts";
import { cancelled, errorOf, errorRecord, outcomeOf } from "./error-record.ts";
import {
  DONE,
  type ErrorRecord,
  type JobKind,
  type JobRow,
  type Outcome,
  type Patch,
  type Step,
} from "./job.ts";
import type { JobLog } from "./job-log.ts";
import type { JobTable } from "./job-table.ts";
import type { JobWatchers } from "./job-watchers.ts";
import { sleepOrAbort } from "./settle.ts";

/** What every run of a runner works with. */
export interface JobRunParts extends Pick<AttemptOptions, "settleMs" | "beforeCommit"> {
  store: Store;
  table: JobTable;
  watchers: JobWatchers;
  log: Log;
  now: () => number;
  kindOf: (job: JobRow) => JobKind<never>;
  /** Ends a job for good, with what its kind writes then; joins the transaction it is called in. */
  end: (job: JobRow, outcome: Outcome, error: ErrorRecord | null) => void;
  /** False once the daemon stops. */
  isStarted: () => boolean;
}

const DEFAULT_ATTEMPTS = 6;

/** One job that this daemon has leased: step after step, until it ends or the daemon stops. */
export class JobRun {
  private controller = new AbortController();

  constructor(
    private readonly parts: JobRunParts,
    private readonly id: string,
    readonly log: JobLog,
  ) {}

  /** Tells the step under way to stop; the run goes on as the reason says. */
  abort(reason: Exclude<AbortReason, "deadline">): void {
    this.controller.abort(reason);
  }

  /** Never rejects: what stands still is put back, to be taken again. */
  async work(): Promise<void> {
    try {
      for (let goesOn = true; goesOn; ) {
        const job = this.parts.table.find(this.id);
        if (!this.parts.table.isOurs(job) || !(await this.rest(job))) return;
        // A cancel may have been asked for during the back-off.
        goesOn = await this.advance(this.parts.table.find(this.id) ?? job);
      }
    } catch (error) {
      // The store itself failed (a full disk, say). The row still says what to do next; try again in a while.
      this.parts.log.error("job stands still", { job: this.id, error: terse(error) });
      await this.putBack();
    }
  }

  private async putBack(): Promise<void> {
    for (;;) {
      await Bun.sleep(this.parts.isStarted() ? 2000 : 0);
      try {
        return this.parts.table.putBack(this.id);
      } catch (error) {
        this.parts.log.error("job cannot be put back", { job: this.id, error: terse(error) });
        if (!this.parts.isStarted()) return;
      }
    }
  }

  /** Sits out the back-off. False when the daemon stops meanwhile. */
  private async rest(job: JobRow): Promise<boolean> {
    const { signal } = this.controller;
    const waitMs = job.not_before - this.parts.now();
    if (waitMs > 0) await sleepOrAbort(waitMs, signal);
    return signal.reason !== "shutdown";
  }

  /** Runs the next step once. True when there is more to do now. */
  private async advance(job: JobRow): Promise<boolean> {
    if (job.cancel_reason !== null && job.error === null) return this.fail(job, cancelled(job.cancel_reason));
    const step = this.parts.kindOf(job).steps[job.step];
    if (!step)
      return this.fail(job, new PermanentError("unknown_step", `no step ${job.step} in ${job.kind}`));
    const begun = this.parts.table.beginStep(job);
    const result = await this.attempt(begun, step);
    if ("error" in result) return this.handle(begun, step, result.error, result.reason);
    try {
      return this.commit(begun, result.patch);
    } catch (error) {
      return this.handle(begun, step, error, null);
    }
  }

  private attempt(job: JobRow, step: Step<never>): Promise<Attempted> {
    const { settleMs, beforeCommit, watchers } = this.parts;
    // Undoing is not cut short by the cancel that asked for it; only a stop of the daemon does that.
    if (job.error !== null) this.renew();
    return attemptStep(job, step, {
      signal: this.controller.signal,
      log: this.log,
      report: (message, fraction) => watchers.report(job.id, message, fraction),
      settleMs,
      beforeCommit,
    });
  }

  private commit(job: JobRow, patch: Patch<unknown>): boolean {
    return this.parts.store.transaction(() => {
      this.parts.table.advance(job, patch);
      if (patch.next !== DONE) return true;
      const error = errorOf(job);
      if (error === null) this.parts.end(job, "succeeded", null);
      else this.parts.end(job, outcomeOf(error), error);
      return false;
    });
  }

  private handle(job: JobRow, step: Step<never>, cause: unknown, reason: AbortReason | null): boolean {
    if (reason === "shutdown") {
      this.parts.table.interrupt(job);
      return false;
    }
    if (reason === "cancel" && job.error === null) {
      this.parts.table.endStep(job, "cancelled", null);
      return this.fail(job, cancelled(this.parts.table.find(job.id)?.cancel_reason ?? ""));
    }
    // Undoing that took too long is tried again: giving up would leave behind for ever what it was to remove.
    const permanent = cause instanceof PermanentError && !(reason === "deadline" && job.error !== null);
    if (permanent || job.attempt >= (step.attempts ?? DEFAULT_ATTEMPTS)) {
      this.parts.table.endStep(job, "failed", { error: terse(cause) });
      return this.fail(job, cause);
    }
    return this.retry(job, cause);
  }

  private retry(job: JobRow, cause: unknown): boolean {
    const waitMs = backoffMs(job.attempt);
    const words = `${terse(cause)}; trying again in ${Math.round(waitMs / 1000)} s`;
    this.parts.log.warn("step failed, will be tried again", {
      job: job.id,
      step: job.step,
      error: terse(cause),
    });
    this.log.line(`${job.step}: ${words}`);
    this.parts.watchers.report(job.id, words, 0);
    this.parts.table.retryAt(job, this.parts.now() + waitMs, terse(cause));
    return true;
  }

  /** Turns a job to its unwinding step, or ends it when there is none or that failed as well. */
  private fail(job: JobRow, cause: unknown): boolean {
    const known = errorOf(job);
    const record = known ?? errorRecord(cause);
    this.tellOfFailure(job, cause, known === null, record);
    const { unwind } = this.parts.kindOf(job);
    if (known === null && unwind && job.step !== unwind) {
      this.parts.table.turnToUnwind(job, unwind, record);
      this.renew();
      return true;
    }
    this.parts.end(job, outcomeOf(record), record);
    return false;
  }

  private tellOfFailure(job: JobRow, cause: unknown, first: boolean, record: ErrorRecord): void {
    this.log.line(first ? `${record.code}: ${record.detail}` : `could not undo everything: ${terse(cause)}`);
    const level = first && cause instanceof DiploError ? "warn" : "error";
    const facts = { job: job.id, kind: job.kind, step: job.step, error: terse(cause) };
    this.parts.log[level](first ? "job fails" : "job could not undo everything", facts);
  }

  /** A cancel was heard; what undoes it needs a signal of its own. */
  private renew(): void {
    const { signal } = this.controller;
    if (!signal.aborted || signal.reason === "shutdown") return;
    this.controller = new AbortController();
    // A signal is aborted once: that of a cancel did not hear of a stop that came after it.
    if (!this.parts.isStarted()) this.abort("shutdown");
  }
}
