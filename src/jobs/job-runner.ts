import { join } from "node:path";
import { ulid } from "ulid";
import { conflict, DiploError, PermanentError, terse } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { backoffMs } from "./backoff.ts";
import { errorRecord } from "./error-record.ts";
import {
  DONE,
  type ErrorRecord,
  type JobEvents,
  type JobKind,
  type JobRow,
  type JobStepRow,
  type NewJob,
  type Outcome,
  type Patch,
  type Step,
} from "./job.ts";
import { JobLog } from "./job-log.ts";
import { isOver, JobTable } from "./job-table.ts";
import { JobWatchers } from "./job-watchers.ts";
import { settles, sleepOrAbort } from "./settle.ts";

export interface JobRunnerOptions {
  store: Store;
  events: JobEvents;
  log: Log;
  /** Directory of the job logs. */
  logs: string;
  /** Jobs that work at the same time. */
  concurrency?: number;
  now?: () => number;
  /** Called after a step's side effects and before its commit: where a crash test pulls the plug. */
  beforeCommit?: (job: JobRow, patch: Patch<unknown>) => void | Promise<void>;
  /** How long an aborted step may take to settle before it is left behind. */
  settleMs?: number;
}

type AbortReason = "cancel" | "deadline" | "shutdown";

interface Running {
  controller: AbortController;
  log: JobLog;
  ended: Promise<void>;
  waits: boolean;
}

type Result = { patch: Patch<unknown> } | { error: unknown; reason: AbortReason | null };

const DEFAULT_ATTEMPTS = 6;
const DEFAULT_SETTLE_MS = 15_000;

/**
 * The durable runner. A job is a row that names the work to do next; a step's outcome and the move to the next
 * are one transaction. Booting, retrying and new work are the same loop: there is no recovery code. Knows
 * nothing of apps.
 */
export class JobRunner {
  private readonly kinds = new Map<string, JobKind<never>>();
  private readonly running = new Map<string, Running>();
  private readonly table: JobTable;
  private readonly watchers: JobWatchers;
  private readonly now: () => number;
  private started = false;
  private later: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly options: JobRunnerOptions) {
    this.now = options.now ?? Date.now;
    this.table = new JobTable({ ...options, incarnation: ulid(), now: this.now });
    this.watchers = new JobWatchers((id) => this.table.find(id));
  }

  register<State>(kind: JobKind<State>): void {
    this.kinds.set(kind.name, kind as unknown as JobKind<never>);
  }

  /** Takes back what an earlier incarnation had leased, and begins to work. */
  start(): void {
    this.table.takeBack();
    this.started = true;
    this.pump();
  }

  /** Lets go of every step without failing it; the next start goes on from the last committed one. */
  async stop(): Promise<void> {
    this.started = false;
    if (this.later) clearTimeout(this.later);
    const running = [...this.running.values()];
    for (const { controller } of running) controller.abort("shutdown" satisfies AbortReason);
    await Promise.all(running.map((job) => job.ended));
  }

  /** Adds a job; call it inside the transaction that records what it is for. */
  enqueue<State>(job: NewJob<State>): void {
    if (!this.kinds.has(job.kind)) throw new Error(`unknown kind of job: ${job.kind}`);
    this.options.store.transaction(() => {
      if (job.supersede)
        for (const overtaken of this.table.waiting(job.kind, job.lane))
          this.end(overtaken, "superseded", null);
      this.table.insert(job);
    });
    queueMicrotask(() => this.pump());
  }

  /** Throws `job_not_found`. */
  get(id: string): JobRow {
    return this.watchers.withLive(this.table.get(id));
  }

  list(filter: { status?: string; limit?: number; offset?: number }): JobRow[] {
    return this.table.list(filter).map((job) => this.watchers.withLive(job));
  }

  steps(id: string): JobStepRow[] {
    return this.table.steps(id);
  }

  /** Asks a job to stop and undo what it made. Throws `too_late` once it has ended or passed its point of no return. */
  cancel(id: string, reason: string): JobRow {
    const job = this.get(id);
    if (isOver(job.status)) throw conflict("too_late", `job ${id} is ${job.status} already`);
    if (job.error !== null) return job;
    if (job.started_at === null) this.end(job, "cancelled", errorRecord(cancelled(reason)));
    else this.cancelStarted(job, reason);
    return this.get(id);
  }

  /** The job when it has ended; the signal only ends the waiting. */
  async wait(id: string, signal?: AbortSignal): Promise<JobRow> {
    const job = this.get(id);
    return isOver(job.status) ? job : this.watchers.untilEnd(id, signal);
  }

  /** The job's log; of a running job the very one that is written to. */
  log(id: string): JobLog {
    return this.running.get(id)?.log ?? new JobLog(this.logPath(id));
  }

  /** Called whenever lines were appended to the job's log, its message changed, and when it ended. */
  onLog(id: string, listener: () => void): Disposable {
    return this.watchers.follow(id, listener);
  }

  isOver(id: string): boolean {
    const job = this.table.find(id);
    return !job || isOver(job.status);
  }

  private cancelStarted(job: JobRow, reason: string): void {
    if (this.kind(job).cancellable?.(job) === false)
      throw conflict("too_late", `job ${job.id} can no longer be undone at step ${job.step}`);
    this.table.askToCancel(job.id, reason);
    this.running.get(job.id)?.controller.abort("cancel" satisfies AbortReason);
  }

  private pump(): void {
    if (!this.started) return;
    let room = (this.options.concurrency ?? 8) - this.places();
    for (const job of this.table.ready()) if (this.kinds.get(job.kind)?.waits || room-- > 0) this.take(job);
    this.pumpLater();
  }

  /** How many work; who only waits takes no place from them. */
  private places(): number {
    return [...this.running.values()].filter((entry) => !entry.waits).length;
  }

  private pumpLater(): void {
    if (this.later) clearTimeout(this.later);
    this.later = null;
    const at = this.table.nextAt();
    if (at === null) return;
    this.later = setTimeout(() => this.pump(), Math.min(at - this.now() + 1, 60_000));
    this.later.unref();
  }

  private take(job: JobRow): void {
    if (!this.table.lease(job.id)) return;
    const log = new JobLog(this.logPath(job.id), () => this.watchers.tell(job.id));
    const entry: Running = {
      controller: new AbortController(),
      log,
      ended: Promise.resolve(),
      waits: this.kinds.get(job.kind)?.waits === true,
    };
    this.running.set(job.id, entry);
    entry.ended = this.work(job.id, entry).finally(() => {
      log.close();
      this.running.delete(job.id);
      this.watchers.silence(job.id);
      this.watchers.tell(job.id);
      this.pump();
    });
  }

  private async work(id: string, entry: Running): Promise<void> {
    try {
      for (let goesOn = true; goesOn; ) {
        const job = this.table.find(id);
        if (!this.table.isOurs(job) || !(await this.rest(job, entry))) return;
        // A cancel may have been asked for during the back-off.
        goesOn = await this.advance(this.table.find(id) ?? job, entry);
      }
    } catch (error) {
      // The store itself failed (a full disk, say). The row still says what to do next; try again in a while.
      this.options.log.error("job stands still", { job: id, error: terse(error) });
      await this.putBack(id);
    }
  }

  private async putBack(id: string): Promise<void> {
    for (;;) {
      await Bun.sleep(this.started ? 2000 : 0);
      try {
        return this.table.putBack(id);
      } catch (error) {
        this.options.log.error("job cannot be put back", { job: id, error: terse(error) });
        if (!this.started) return;
      }
    }
  }

  /** Sits out the back-off. False when the daemon stops meanwhile. */
  private async rest(job: JobRow, { controller }: Running): Promise<boolean> {
    const waitMs = job.not_before - this.now();
    if (waitMs > 0) await sleepOrAbort(waitMs, controller.signal);
    return controller.signal.reason !== "shutdown";
  }

  /** Runs the next step once. True when there is more to do now. */
  private async advance(job: JobRow, entry: Running): Promise<boolean> {
    if (job.cancel_reason !== null && job.error === null)
      return this.fail(job, cancelled(job.cancel_reason), entry);
    const step = this.kind(job).steps[job.step];
    if (!step)
      return this.fail(job, new PermanentError("unknown_step", `no step ${job.step} in ${job.kind}`), entry);
    const begun = this.table.beginStep(job);
    const result = await this.attempt(begun, step, entry);
    if ("error" in result) return this.handle(begun, step, result.error, result.reason, entry);
    try {
      return this.commit(begun, result.patch);
    } catch (error) {
      return this.handle(begun, step, error, null, entry);
    }
  }

  private async attempt(job: JobRow, step: Step<never>, entry: Running): Promise<Result> {
    const state = JSON.parse(job.state) as never;
    const deadlineMs = typeof step.deadlineMs === "function" ? step.deadlineMs(state) : step.deadlineMs;
    // Undoing is not cut short by the cancel that asked for it; only a stop of the daemon does that.
    if (job.error !== null) renew(entry);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort("deadline" satisfies AbortReason), deadlineMs);
    const signal = AbortSignal.any([entry.controller.signal, deadline.signal]);
    try {
      const work = step.run({
        job,
        state,
        attempt: job.attempt,
        signal,
        log: entry.log,
        progress: (message, fraction = 0) => this.watchers.report(job.id, message, fraction),
      });
      const patch = (await settles(
        work,
        signal,
        this.options.settleMs ?? DEFAULT_SETTLE_MS,
      )) as Patch<unknown>;
      entry.log.flush();
      await this.options.beforeCommit?.(job, patch);
      return { patch };
    } catch (error) {
      return { error, reason: signal.aborted ? (signal.reason as AbortReason) : null };
    } finally {
      entry.log.flush();
      clearTimeout(timer);
    }
  }

  private commit(job: JobRow, patch: Patch<unknown>): boolean {
    return this.options.store.transaction(() => {
      this.table.advance(job, patch);
      if (patch.next !== DONE) return true;
      const error = recordOf(job);
      if (error === null) this.end(job, "succeeded", null);
      else this.end(job, outcomeOf(error), error);
      return false;
    });
  }

  private handle(
    job: JobRow,
    step: Step<never>,
    error: unknown,
    reason: AbortReason | null,
    entry: Running,
  ): boolean {
    if (reason === "shutdown") {
      this.table.interrupt(job);
      return false;
    }
    if (reason === "cancel" && job.error === null) {
      this.table.endStep(job, "cancelled", null);
      return this.fail(job, cancelled(this.table.find(job.id)?.cancel_reason ?? ""), entry);
    }
    const cause = reason === "deadline" ? deadlineError(job, step) : error;
    // Undoing that took too long is tried again: giving up would leave behind for ever what it was to remove.
    const permanent = cause instanceof PermanentError && !(reason === "deadline" && job.error !== null);
    if (permanent || job.attempt >= (step.attempts ?? DEFAULT_ATTEMPTS)) {
      this.table.endStep(job, "failed", { error: terse(cause) });
      return this.fail(job, cause, entry);
    }
    return this.retry(job, cause, entry);
  }

  private retry(job: JobRow, cause: unknown, entry: Running): boolean {
    const waitMs = backoffMs(job.attempt);
    const words = `${terse(cause)}; trying again in ${Math.round(waitMs / 1000)} s`;
    this.options.log.warn("step failed, will be tried again", {
      job: job.id,
      step: job.step,
      error: terse(cause),
    });
    entry.log.line(`${job.step}: ${words}`);
    this.watchers.report(job.id, words, 0);
    this.table.retryAt(job, this.now() + waitMs, terse(cause));
    return true;
  }

  /** Turns a job to its unwinding step, or ends it when there is none or that failed as well. */
  private fail(job: JobRow, cause: unknown, entry: Running): boolean {
    const known = recordOf(job);
    const record = known ?? errorRecord(cause);
    this.tellOfFailure(job, cause, known === null, record, entry);
    const { unwind } = this.kind(job);
    if (known === null && unwind && job.step !== unwind) {
      this.table.turnToUnwind(job, unwind, record);
      renew(entry);
      return true;
    }
    this.end(job, outcomeOf(record), record);
    return false;
  }

  private tellOfFailure(
    job: JobRow,
    cause: unknown,
    first: boolean,
    record: ErrorRecord,
    entry: Running,
  ): void {
    entry.log.line(first ? `${record.code}: ${record.detail}` : `could not undo everything: ${terse(cause)}`);
    const level = first && cause instanceof DiploError ? "warn" : "error";
    const facts = { job: job.id, kind: job.kind, step: job.step, error: terse(cause) };
    this.options.log[level](first ? "job fails" : "job could not undo everything", facts);
  }

  private end(job: JobRow, outcome: Outcome, error: ErrorRecord | null): void {
    this.options.store.transaction(() => {
      this.table.end(job, outcome, error);
      this.kind(job).ended?.(job, outcome, error);
    });
    this.watchers.ended(job.id);
  }

  private kind(job: JobRow): JobKind<never> {
    const kind = this.kinds.get(job.kind);
    if (!kind) throw new Error(`unknown kind of job: ${job.kind}`);
    return kind;
  }

  private logPath(id: string): string {
    return join(this.options.logs, `${id}.log`);
  }
}

/** A cancel was heard; what undoes it needs a signal of its own. */
function renew(entry: Running): void {
  const { signal } = entry.controller;
  if (signal.aborted && signal.reason !== "shutdown") entry.controller = new AbortController();
}

function recordOf(job: JobRow): ErrorRecord | null {
  return job.error === null ? null : (JSON.parse(job.error) as ErrorRecord);
}

function outcomeOf(error: ErrorRecord): Outcome {
  return error.code === "cancelled" ? "cancelled" : "failed";
}

function cancelled(reason: string): DiploError {
  return new DiploError("cancelled", reason ? `cancelled: ${reason}` : "cancelled");
}

function deadlineError(job: JobRow, step: Step<never>): DiploError {
  return (
    step.onDeadline?.(JSON.parse(job.state) as never) ??
    new PermanentError("step_timeout", `${job.step} did not end in time`, {
      detail: `The step "${job.step}" took longer than it may.`,
    })
  );
}
