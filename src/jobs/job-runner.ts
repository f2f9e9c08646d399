import { join } from "node:path";
import { ulid } from "ulid";
import { conflict } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { AttemptOptions } from "./attempt-step.ts";
import { cancelled, errorRecord } from "./error-record.ts";
import type { ErrorRecord, JobEvents, JobKind, JobRow, JobStepRow, NewJob, Outcome } from "./job.ts";
import { JobLog } from "./job-log.ts";
import { JobRun, type JobRunParts } from "./job-run.ts";
import { isOver, JobTable } from "./job-table.ts";
import { JobWatchers } from "./job-watchers.ts";

export interface JobRunnerOptions extends Pick<AttemptOptions, "settleMs" | "beforeCommit"> {
  store: Store;
  events: JobEvents;
  log: Log;
  /** Directory of the job logs. */
  logs: string;
  /** Jobs that work at the same time. */
  concurrency?: number;
  now?: () => number;
}

interface Running {
  run: JobRun;
  waits: boolean;
  ended: Promise<void>;
}

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
  private readonly runParts: JobRunParts;
  private readonly now: () => number;
  private started = false;
  private later: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly options: JobRunnerOptions) {
    this.now = options.now ?? Date.now;
    this.table = new JobTable({ ...options, incarnation: ulid(), now: this.now });
    this.watchers = new JobWatchers((id) => this.table.find(id));
    this.runParts = {
      ...options,
      table: this.table,
      watchers: this.watchers,
      now: this.now,
      kindOf: (job) => this.kind(job),
      end: (job, outcome, error) => this.end(job, outcome, error),
      isStarted: () => this.started,
    };
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
    for (const { run } of running) run.abort("shutdown");
    await Promise.all(running.map(({ ended }) => ended));
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
    return this.running.get(id)?.run.log ?? new JobLog(this.logPath(id));
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
    this.running.get(job.id)?.run.abort("cancel");
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
    const run = new JobRun(this.runParts, job.id, log);
    const waits = this.kinds.get(job.kind)?.waits === true;
    const entry: Running = { run, waits, ended: Promise.resolve() };
    this.running.set(job.id, entry);
    entry.ended = run.work().finally(() => {
      log.close();
      this.running.delete(job.id);
      this.watchers.silence(job.id);
      this.watchers.tell(job.id);
      this.pump();
    });
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
