import { notFound } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { ErrorRecord, JobEvents, JobRow, JobStatus, JobStepRow, NewJob, Outcome, Patch } from "./job.ts";

export interface JobTableOptions {
  store: Store;
  events: JobEvents;
  /** Names the daemon that holds the leases: they belong to it, not to a clock. */
  incarnation: string;
  now: () => number;
}

/** The rows of jobs and every transition between their states. Each method is one transaction, or part of the caller's. */
export class JobTable {
  constructor(private readonly options: JobTableOptions) {}

  find(id: string): JobRow | null {
    return this.options.store.get<JobRow>("select * from jobs where id = $id", { id });
  }

  get(id: string): JobRow {
    const job = this.find(id);
    if (!job) throw notFound("job", id);
    return job;
  }

  list({ status, limit = 20, offset = 0 }: { status?: string; limit?: number; offset?: number }): JobRow[] {
    return this.options.store.all<JobRow>(
      "select * from jobs where $status is null or status = $status order by id desc limit $limit offset $offset",
      { status: status ?? null, limit, offset },
    );
  }

  steps(id: string): JobStepRow[] {
    return this.options.store.all<JobStepRow>(
      "select * from job_steps where job_id = $id order by started_at, attempt",
      { id },
    );
  }

  insert<State>(job: NewJob<State>): void {
    const { store, events, now } = this.options;
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
        now: now(),
      },
    );
    events.emit("task.created", job.subject, { job_id: job.id, type: job.kind });
  }

  /** Jobs of the kind and lane that wait and never ran. */
  waiting(kind: string, lane: string): JobRow[] {
    return this.options.store.all<JobRow>(
      "select * from jobs where kind = $kind and lane = $lane and status = 'queued' and started_at is null",
      { kind, lane },
    );
  }

  /** Takes back what a daemon that is no more had leased. */
  takeBack(): void {
    const { store, now } = this.options;
    store.transaction(() => {
      store.run(
        `update job_steps set outcome = 'interrupted', finished_at = $now where outcome is null
         and job_id in (select id from jobs where status = 'running')`,
        { now: now() },
      );
      store.run("update jobs set status = 'queued', incarnation = null where status = 'running'");
    });
  }

  /** What may run now: the oldest open job of each lane that has none running. */
  ready(): JobRow[] {
    return this.options.store.all<JobRow>(
      `select * from jobs j where status = 'queued' and not_before <= $now
       and not exists (select 1 from jobs o where o.lane = j.lane and (o.status = 'running'
         or (o.status = 'queued' and o.id < j.id)))
       order by id`,
      { now: this.options.now() },
    );
  }

  /** When the next waiting job may run; null when none waits for a time. */
  nextAt(): number | null {
    return (
      this.options.store.get<{ at: number | null }>(
        "select min(not_before) as at from jobs where status = 'queued' and not_before > $now",
        { now: this.options.now() },
      )?.at ?? null
    );
  }

  /** True when this daemon holds it now. */
  lease(id: string): boolean {
    const { store, incarnation, now } = this.options;
    const changed = store.run(
      `update jobs set status = 'running', incarnation = $incarnation, started_at = coalesce(started_at, $now)
       where id = $id and status = 'queued'`,
      { id, incarnation, now: now() },
    );
    return changed === 1;
  }

  isOurs(job: JobRow | null): job is JobRow {
    return job?.status === "running" && job.incarnation === this.options.incarnation;
  }

  putBack(id: string): void {
    this.options.store.run(
      "update jobs set status = 'queued', incarnation = null where id = $id and status = 'running'",
      { id },
    );
  }

  /** Writes down that the next attempt at the step begins. */
  beginStep(job: JobRow): JobRow {
    const { store, events, now } = this.options;
    const attempt = job.attempt + 1;
    store.transaction(() => {
      store.run("update jobs set attempt = $attempt where id = $id", { id: job.id, attempt });
      store.run(
        `insert into job_steps (job_id, step, attempt, started_at) values ($id, $step, $attempt, $now)
         on conflict (job_id, step, attempt) do update set started_at = $now, finished_at = null, outcome = null`,
        { id: job.id, step: job.step, attempt, now: now() },
      );
      events.emit("task.updated", job.subject, { job_id: job.id, type: job.kind, step: job.step, attempt });
    });
    return { ...job, attempt };
  }

  /** A step's outcome and the move to the next. Throws when the row is no longer where this daemon left it. */
  advance(job: JobRow, patch: Patch<unknown>): void {
    const { store, events, incarnation } = this.options;
    store.transaction(() => {
      const made = patch.apply?.() as object | undefined;
      const state = JSON.stringify({ ...JSON.parse(job.state), ...(patch.state as object), ...made });
      const moved = store.run(
        `update jobs set step = $next, state = $state, attempt = 0, not_before = 0
         where id = $id and step = $step and status = 'running' and incarnation = $incarnation`,
        { id: job.id, step: job.step, next: patch.next, state, incarnation },
      );
      if (moved !== 1) throw new Error(`job ${job.id} moved on without us at ${job.step}`);
      this.endStep(job, "done", patch.evidence ?? null);
      events.emit("task.updated", job.subject, { job_id: job.id, type: job.kind, step: patch.next });
    });
  }

  /** The step failed in passing; it is due again at `at` (Unix ms). */
  retryAt(job: JobRow, at: number, error: string): void {
    const { store } = this.options;
    store.transaction(() => {
      this.endStep(job, "retry", { error });
      store.run("update jobs set not_before = $at where id = $id", { id: job.id, at });
    });
  }

  /** A stop of the daemon cut the attempt short: it does not count. */
  interrupt(job: JobRow): void {
    const { store } = this.options;
    store.transaction(() => {
      this.endStep(job, "interrupted", null);
      store.run(
        "update jobs set status = 'queued', incarnation = null, attempt = attempt - 1 where id = $id",
        { id: job.id },
      );
    });
  }

  /** From here on the job undoes what it made. */
  turnToUnwind(job: JobRow, step: string, error: ErrorRecord): void {
    const { store, events, incarnation } = this.options;
    store.transaction(() => {
      store.run(
        `update jobs set step = $step, error = $error, attempt = 0, not_before = 0
         where id = $id and incarnation = $incarnation`,
        { id: job.id, step, error: JSON.stringify(error), incarnation },
      );
      events.emit("task.updated", job.subject, { job_id: job.id, type: job.kind, step, error: error.code });
    });
  }

  askToCancel(id: string, reason: string): void {
    this.options.store.run(
      "update jobs set cancel_reason = $reason where id = $id and cancel_reason is null",
      { id, reason },
    );
  }

  end(job: JobRow, outcome: Outcome, error: ErrorRecord | null): void {
    const { store, events, now } = this.options;
    store.run(
      "update jobs set status = $outcome, error = $error, incarnation = null, finished_at = $now where id = $id",
      { id: job.id, outcome, error: error === null ? null : JSON.stringify(error), now: now() },
    );
    events.emit("task.completed", job.subject, { job_id: job.id, type: job.kind, status: outcome });
  }

  endStep(job: JobRow, outcome: JobStepRow["outcome"], evidence: Record<string, unknown> | null): void {
    this.options.store.run(
      `update job_steps set outcome = $outcome, finished_at = $now, evidence = $evidence
       where job_id = $id and step = $step and attempt = $attempt`,
      {
        id: job.id,
        step: job.step,
        attempt: job.attempt,
        outcome,
        now: this.options.now(),
        evidence: evidence === null ? null : JSON.stringify(evidence),
      },
    );
  }
}

export function isOver(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}
