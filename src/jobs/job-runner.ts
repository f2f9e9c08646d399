import { existsSync } from "node:fs";
import { join } from "node:path";
import { ulid } from "ulid";
import { conflict, DiploError, notFound, PermanentError, terse } from "../errors.ts";
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
  type JobStatus,
  type JobStepRow,
  type NewJob,
  type Outcome,
  type Patch,
  type Step,
} from "./job.ts";
import { JobLog } from "./job-log.ts";

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

type Reason = "cancel" | "deadline" | "shutdown";

interface Running {
  controller: AbortController;
  log: JobLog;
  ended: Promise<void>;
}

/**
 * The durable runner. A job is a row that names the work to do next; a step's outcome and the move to the next
 * are one transaction. Booting, retrying and new work are the same loop: there is no recovery code. Knows
 * nothing of apps.
 */
export class JobRunner {
  readonly incarnation = ulid();
  private readonly kinds = new Map<string, JobKind<never>>();
  private readonly running = new Map<string, Running>();
  private readonly live = new Map<string, { message: string; fraction: number }>();
  private readonly followers = new Map<string, Set<() => void>>();
  private readonly waiters = new Map<string, Set<(job: JobRow) => void>>();
  private started = false;
  private readonly now: () => number;

  constructor(private readonly options: JobRunnerOptions) {
    this.now = options.now ?? Date.now;
  }

  register<State>(kind: JobKind<State>): void {
    this.kinds.set(kind.name, kind as unknown as JobKind<never>);
  }

  /** Takes back what an earlier incarnation had leased, and begins to work. */
  start(): void {
    const { store } = this.options;
    store.transaction(() => {
      store.run(
        `update job_steps set outcome = 'interrupted', finished_at = $now where outcome is null
         and job_id in (select id from jobs where status = 'running')`,
        { now: this.now() },
      );
      store.run("update jobs set status = 'queued', incarnation = null where status = 'running'");
    });
    this.started = true;
    this.pump();
  }

  /** Lets go of every step without failing it; the next start goes on from the last committed one. */
  async stop(): Promise<void> {
    this.started = false;
    const running = [...this.running.values()];
    for (const { controller } of running) controller.abort("shutdown" satisfies Reason);
    await Promise.all(running.map((job) => job.ended));
  }

  /** Adds a job; call it inside the transaction that records what it is for. */
  enqueue<State>(job: NewJob<State>): void {
    const { store, events } = this.options;
    if (!this.kinds.has(job.kind)) throw new Error(`unknown kind of job: ${job.kind}`);
    store.transaction(() => {
      if (job.supersede) this.supersede(job.kind, job.lane);
      store.run(
        `insert into jobs (id, kind, lane, subject, status, step, state, not_before, idempotency_key, created_by, created_at)
         values ($id, $kind, $lane, $subject, 'queued', $step, $state, $notBefore, $key, $createdBy, $now)`,
        {
          id: job.id,
          kind: job.kind,
          lane: job.lane,
          subject: job.subject,
          step: job.step,
          state: JSON.stringify(job.state),
          notBefore: job.notBefore ?? 0,
          key: job.idempotencyKey ?? null,
          createdBy: job.createdBy,
          now: this.now(),
        },
      );
      events.emit("task.created", job.subject, { job_id: job.id, type: job.kind });
    });
    queueMicrotask(() => this.pump());
  }

  get(id: string): JobRow {
    const job = this.find(id);
    if (!job) throw notFound("job", id);
    return this.withLive(job);
  }

  list({ status, limit = 20, offset = 0 }: { status?: string; limit?: number; offset?: number }): JobRow[] {
    return this.options.store
      .all<JobRow>(
        `select * from jobs where $status is null or status = $status order by id desc limit $limit offset $offset`,
        { status: status ?? null, limit, offset },
      )
      .map((job) => this.withLive(job));
  }

  steps(id: string): JobStepRow[] {
    return this.options.store.all<JobStepRow>(
      "select * from job_steps where job_id = $id order by started_at, attempt",
      { id },
    );
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
  wait(id: string, signal?: AbortSignal): Promise<JobRow> {
    const job = this.get(id);
    if (isOver(job.status)) return Promise.resolve(job);
    return new Promise((resolve, reject) => {
      const set = this.waiters.get(id) ?? new Set();
      this.waiters.set(id, set.add(resolve));
      signal?.addEventListener("abort", () => {
        set.delete(resolve);
        reject(signal.reason);
      });
    });
  }

  /** The job's log; of a running job the very one that is written to. */
  log(id: string): JobLog {
    return this.running.get(id)?.log ?? new JobLog(this.logPath(id));
  }

  /** Called whenever lines were appended to the job's log, and when it ended. */
  onLog(id: string, listener: () => void): Disposable {
    const set = this.followers.get(id) ?? new Set();
    this.followers.set(id, set.add(listener));
    return {
      [Symbol.dispose]: () => {
        set.delete(listener);
        if (set.size === 0) this.followers.delete(id);
      },
    };
  }

  isOver(id: string): boolean {
    const job = this.find(id);
    return !job || isOver(job.status);
  }

  hasLog(id: string): boolean {
    return this.running.has(id) || existsSync(this.logPath(id));
  }

  private supersede(kind: string, lane: string): void {
    const overtaken = this.options.store.all<JobRow>(
      "select * from jobs where kind = $kind and lane = $lane and status = 'queued' and started_at is null",
      { kind, lane },
    );
    for (const job of overtaken) this.end(job, "superseded", null);
  }

  private cancelStarted(job: JobRow, reason: string): void {
    if (this.kind(job).cancellable?.(job) === false)
      throw conflict("too_late", `job ${job.id} can no longer be undone at step ${job.step}`);
    this.options.store.run(
      "update jobs set cancel_reason = $reason where id = $id and cancel_reason is null",
      {
        id: job.id,
        reason,
      },
    );
    this.running.get(job.id)?.controller.abort("cancel" satisfies Reason);
  }

  /** Leases what may run now: the oldest open job of each lane that has none running. */
  private pump(): void {
    if (!this.started) return;
    const { store, concurrency = 8 } = this.options;
    const room = concurrency - this.running.size;
    if (room <= 0) return;
    const ready = store.all<JobRow>(
      `select * from jobs j where status = 'queued' and not_before <= $now
       and not exists (select 1 from jobs o where o.lane = j.lane and (o.status = 'running'
         or (o.status = 'queued' and o.id < j.id)))
       order by id limit $room`,
      { now: this.now(), room },
    );
    for (const job of ready) this.lease(job);
    if (ready.length < room) this.pumpLater();
  }

  private later: ReturnType<typeof setTimeout> | null = null;

  private pumpLater(): void {
    const next = this.options.store.get<{ at: number | null }>(
      "select min(not_before) as at from jobs where status = 'queued' and not_before > $now",
      { now: this.now() },
    );
    if (this.later) clearTimeout(this.later);
    this.later = null;
    if (next?.at == null) return;
    this.later = setTimeout(() => this.pump(), Math.min(next.at - this.now() + 1, 60_000));
    this.later.unref();
  }

  private lease(job: JobRow): void {
    const { store } = this.options;
    const leased = store.run(
      `update jobs set status = 'running', incarnation = $incarnation, started_at = coalesce(started_at, $now)
       where id = $id and status = 'queued'`,
      { id: job.id, incarnation: this.incarnation, now: this.now() },
    );
    if (leased !== 1) return;
    const log = new JobLog(this.logPath(job.id), () => this.tellFollowers(job.id));
    const entry: Running = { controller: new AbortController(), log, ended: Promise.resolve() };
    this.running.set(job.id, entry);
    entry.ended = this.work(job.id, entry).finally(() => {
      log.close();
      this.running.delete(job.id);
      this.live.delete(job.id);
      this.tellFollowers(job.id);
      this.pump();
    });
  }

  private async work(id: string, entry: Running): Promise<void> {
    try {
      for (;;) {
        const job = this.find(id);
        if (!job || job.status !== "running" || job.incarnation !== this.incarnation) return;
        if (!(await this.rest(job, entry))) return;
        if (!(await this.advance(this.find(id) ?? job, entry))) return;
      }
    } catch (error) {
      // The store itself failed (a full disk, say). The row still says what to do next; try again in a while.
      this.options.log.error("job stands still", { job: id, error: terse(error) });
      await this.letGo(id);
    }
  }

  private async letGo(id: string): Promise<void> {
    await Bun.sleep(this.started ? 2000 : 0);
    try {
      this.options.store.run(
        "update jobs set status = 'queued', incarnation = null where id = $id and status = 'running'",
        { id },
      );
    } catch (error) {
      this.options.log.error("job cannot be put back", { job: id, error: terse(error) });
      if (this.started) return this.letGo(id);
    }
  }

  /** Sits out the back-off. False when the daemon stops meanwhile. */
  private async rest(job: JobRow, entry: Running): Promise<boolean> {
    const waitMs = job.not_before - this.now();
    if (waitMs > 0 && !entry.controller.signal.aborted) await sleepOrAbort(waitMs, entry.controller.signal);
    return entry.controller.signal.reason !== "shutdown";
  }

  /** Runs the next step once. True when there is more to do now. */
  private async advance(job: JobRow, entry: Running): Promise<boolean> {
    if (job.cancel_reason !== null && job.error === null)
      return this.fail(job, cancelled(job.cancel_reason), entry);
    const step = this.kind(job).steps[job.step];
    if (!step)
      return this.fail(job, new PermanentError("unknown_step", `no step ${job.step} in ${job.kind}`), entry);
    const begun = this.begin(job);
    const result = await this.attempt(begun, step, entry);
    if ("error" in result) return this.handle(begun, step, result.error, result.reason, entry);
    try {
      return this.commit(begun, result.patch);
    } catch (error) {
      return this.handle(begun, step, error, null, entry);
    }
  }

  private begin(job: JobRow): JobRow {
    const attempt = job.attempt + 1;
    this.options.store.transaction(() => {
      this.options.store.run("update jobs set attempt = $attempt where id = $id", { id: job.id, attempt });
      this.options.store.run(
        `insert into job_steps (job_id, step, attempt, started_at) values ($id, $step, $attempt, $now)
         on conflict (job_id, step, attempt) do update set started_at = $now, finished_at = null, outcome = null`,
        { id: job.id, step: job.step, attempt, now: this.now() },
      );
      this.options.events.emit("task.updated", job.subject, {
        job_id: job.id,
        type: job.kind,
        step: job.step,
        attempt,
      });
    });
    return { ...job, attempt };
  }

  private async attempt(
    job: JobRow,
    step: Step<never>,
    entry: Running,
  ): Promise<{ patch: Patch<unknown> } | { error: unknown; reason: Reason | null }> {
    const state = JSON.parse(job.state) as never;
    const deadlineMs = typeof step.deadlineMs === "function" ? step.deadlineMs(state) : step.deadlineMs;
    const stepController = new AbortController();
    const abort = (reason: Reason) => stepController.abort(reason);
    const timer = setTimeout(() => abort("deadline"), deadlineMs);
    const onOuter = () => abort(outer.reason as Reason);
    // Undoing is not cut short by the cancel that asked for it; only a stop of the daemon does that.
    if (job.error !== null) this.renew(entry);
    const outer = entry.controller.signal;
    if (outer.aborted) onOuter();
    outer.addEventListener("abort", onOuter);
    try {
      const context = {
        job,
        state,
        attempt: job.attempt,
        signal: stepController.signal,
        log: entry.log,
        progress: (message: string, fraction = 0) => this.report(job, message, fraction),
      };
      const patch = (await settles(
        step.run(context),
        stepController.signal,
        this.options.settleMs,
      )) as Patch<unknown>;
      entry.log.flush();
      await this.options.beforeCommit?.(job, patch);
      return { patch };
    } catch (error) {
      entry.log.flush();
      return {
        error,
        reason: stepController.signal.aborted ? (stepController.signal.reason as Reason) : null,
      };
    } finally {
      clearTimeout(timer);
      outer.removeEventListener("abort", onOuter);
    }
  }

  /** A cancel was heard; what undoes it needs a signal of its own. */
  private renew(entry: Running): void {
    if (entry.controller.signal.aborted && entry.controller.signal.reason !== "shutdown")
      entry.controller = new AbortController();
  }

  private commit(job: JobRow, patch: Patch<unknown>): boolean {
    const { store, events } = this.options;
    return store.transaction(() => {
      const made = patch.apply?.() as object | undefined;
      const state = JSON.stringify({ ...JSON.parse(job.state), ...(patch.state as object), ...made });
      const moved = store.run(
        `update jobs set step = $next, state = $state, attempt = 0, not_before = 0
         where id = $id and step = $step and status = 'running' and incarnation = $incarnation`,
        { id: job.id, step: job.step, next: patch.next, state, incarnation: this.incarnation },
      );
      if (moved !== 1) throw new Error(`job ${job.id} moved on without us at ${job.step}`);
      this.endStep(job, "done", patch.evidence ?? null);
      events.emit("task.updated", job.subject, { job_id: job.id, type: job.kind, step: patch.next });
      if (patch.next !== DONE) return true;
      const error = job.error === null ? null : (JSON.parse(job.error) as ErrorRecord);
      this.end(
        job,
        error === null ? "succeeded" : error.code === "cancelled" ? "cancelled" : "failed",
        error,
      );
      return false;
    });
  }

  private async handle(
    job: JobRow,
    step: Step<never>,
    error: unknown,
    reason: Reason | null,
    entry: Running,
  ): Promise<boolean> {
    const { store } = this.options;
    if (reason === "shutdown") {
      this.endStep(job, "interrupted", null);
      // An attempt that a stop cut short does not count.
      store.run(
        "update jobs set status = 'queued', incarnation = null, attempt = attempt - 1 where id = $id",
        { id: job.id },
      );
      return false;
    }
    if (reason === "cancel" && job.error === null) {
      const row = this.find(job.id);
      this.endStep(job, "cancelled", null);
      return this.fail(job, cancelled(row?.cancel_reason ?? ""), entry);
    }
    const cause = reason === "deadline" ? this.deadlineError(job, step) : error;
    const permanent = cause instanceof PermanentError || (reason === "deadline" && job.error === null);
    if (permanent || job.attempt >= (step.attempts ?? 6)) {
      this.endStep(job, "failed", { error: terse(cause) });
      return this.fail(job, cause, entry);
    }
    return this.retry(job, cause, entry);
  }

  private retry(job: JobRow, cause: unknown, entry: Running): boolean {
    const waitMs = backoffMs(job.attempt);
    this.options.log.warn("step failed, will be tried again", {
      job: job.id,
      step: job.step,
      attempt: job.attempt,
      error: terse(cause),
    });
    entry.log.line(`${job.step}: ${terse(cause)}; trying again in ${Math.round(waitMs / 1000)} s`);
    this.report(job, `${terse(cause)}; trying again in ${Math.round(waitMs / 1000)} s`, 0);
    this.options.store.transaction(() => {
      this.endStep(job, "retry", { error: terse(cause) });
      this.options.store.run("update jobs set not_before = $at where id = $id", {
        id: job.id,
        at: this.now() + waitMs,
      });
    });
    return true;
  }

  /** Turns a job to its unwinding step, or ends it when there is none or that failed as well. */
  private fail(job: JobRow, cause: unknown, entry: Running): boolean {
    const { store, events, log } = this.options;
    const kind = this.kind(job);
    const first = job.error === null;
    const record = first ? errorRecord(cause) : (JSON.parse(job.error as string) as ErrorRecord);
    entry.log.line(first ? `${record.code}: ${record.detail}` : `could not undo everything: ${terse(cause)}`);
    log[first && cause instanceof DiploError ? "warn" : "error"](
      first ? "job fails" : "job could not undo everything",
      {
        job: job.id,
        kind: job.kind,
        step: job.step,
        error: terse(cause),
      },
    );
    if (first && kind.unwind && job.step !== kind.unwind) {
      store.transaction(() => {
        store.run(
          "update jobs set step = $step, error = $error, attempt = 0, not_before = 0 where id = $id and incarnation = $incarnation",
          {
            id: job.id,
            step: kind.unwind ?? "",
            error: JSON.stringify(record),
            incarnation: this.incarnation,
          },
        );
        events.emit("task.updated", job.subject, {
          job_id: job.id,
          type: job.kind,
          step: kind.unwind,
          error: record.code,
        });
      });
      this.renew(entry);
      return true;
    }
    this.end(job, record.code === "cancelled" ? "cancelled" : "failed", record);
    return false;
  }

  private end(job: JobRow, outcome: Outcome, error: ErrorRecord | null): void {
    const { store, events } = this.options;
    store.transaction(() => {
      store.run(
        "update jobs set status = $outcome, error = $error, incarnation = null, finished_at = $now where id = $id",
        { id: job.id, outcome, error: error === null ? null : JSON.stringify(error), now: this.now() },
      );
      this.kind(job).ended?.(job, outcome, error);
      events.emit("task.completed", job.subject, { job_id: job.id, type: job.kind, status: outcome });
    });
    queueMicrotask(() => {
      this.tellWaiters(job.id);
      this.tellFollowers(job.id);
    });
  }

  private endStep(
    job: JobRow,
    outcome: JobStepRow["outcome"],
    evidence: Record<string, unknown> | null,
  ): void {
    this.options.store.run(
      `update job_steps set outcome = $outcome, finished_at = $now, evidence = $evidence
       where job_id = $id and step = $step and attempt = $attempt`,
      {
        id: job.id,
        step: job.step,
        attempt: job.attempt,
        outcome,
        now: this.now(),
        evidence: evidence === null ? null : JSON.stringify(evidence),
      },
    );
  }

  private deadlineError(job: JobRow, step: Step<never>): DiploError {
    return (
      step.onDeadline?.(JSON.parse(job.state) as never) ??
      new PermanentError("step_timeout", `${job.step} did not end in time`, {
        detail: `The step "${job.step}" took longer than it may.`,
      })
    );
  }

  private report(job: JobRow, message: string, fraction: number): void {
    this.live.set(job.id, { message, fraction });
    this.tellFollowers(job.id);
  }

  private withLive(job: JobRow): JobRow {
    const live = this.live.get(job.id);
    return live ? { ...job, message: live.message, progress: live.fraction } : job;
  }

  private tellFollowers(id: string): void {
    for (const listener of this.followers.get(id) ?? []) listener();
  }

  private tellWaiters(id: string): void {
    const job = this.find(id);
    if (!job || !isOver(job.status)) return;
    for (const resolve of this.waiters.get(id) ?? []) resolve(job);
    this.waiters.delete(id);
  }

  private kind(job: JobRow): JobKind<never> {
    const kind = this.kinds.get(job.kind);
    if (!kind) throw new Error(`unknown kind of job: ${job.kind}`);
    return kind;
  }

  private find(id: string): JobRow | null {
    return this.options.store.get<JobRow>("select * from jobs where id = $id", { id });
  }

  private logPath(id: string): string {
    return join(this.options.logs, `${id}.log`);
  }
}

function isOver(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}

function cancelled(reason: string): DiploError {
  return new DiploError("cancelled", reason ? `cancelled: ${reason}` : "cancelled");
}

/** Settles with the work, or a moment after the abort: a step that does not listen must not hold its job for ever. */
async function settles<T>(work: Promise<T>, signal: AbortSignal, settleMs = 15_000): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => reject(new Error("the step did not stop when told to")), settleMs);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function sleepOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
