import type { DiploError } from "../errors.ts";
import type { JobLog } from "./job-log.ts";

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "superseded";

export type Outcome = Exclude<JobStatus, "queued" | "running">;

/** What a person reads of an error; kept as JSON. */
export interface ErrorRecord {
  code: string;
  title: string;
  detail: string;
  evidence: string[];
  hint: string | null;
}

export interface JobRow {
  id: string;
  kind: string;
  lane: string;
  subject: string | null;
  status: JobStatus;
  /** The work to do next. */
  step: string;
  /** JSON. */
  state: string;
  attempt: number;
  not_before: number;
  deadline: number | null;
  incarnation: string | null;
  /** JSON ErrorRecord. */
  error: string | null;
  cancel_reason: string | null;
  idempotency_key: string | null;
  progress: number;
  message: string;
  created_by: string;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
}

export interface JobStepRow {
  job_id: string;
  step: string;
  attempt: number;
  started_at: number;
  finished_at: number | null;
  outcome: "done" | "retry" | "failed" | "cancelled" | "interrupted" | null;
  evidence: string | null;
}

/** What a step gets. Everything it did before must be found again by looking: it may run more than once. */
export interface StepContext<State> {
  job: Readonly<JobRow>;
  state: Readonly<State>;
  attempt: number;
  /** Aborted on cancel, deadline and shutdown. */
  signal: AbortSignal;
  log: JobLog;
  /** Shown live, not written to disk. `fraction` is of this step, 0–1. */
  progress(message: string, fraction?: number): void;
}

/** A step's outcome: committed together with the move to `next`, or not at all. */
export interface Patch<State> {
  next: string;
  state?: Partial<State>;
  /**
   * Writes of the nouns concerned; runs inside the transaction, so it must be synchronous. What it answers is
   * added to the state.
   */
  apply?: () => Partial<State> | undefined;
  /** What the step found or made, for the history. Never a secret. */
  evidence?: Record<string, unknown>;
}

export interface Step<State> {
  run(context: StepContext<State>): Promise<Patch<State>>;
  deadlineMs: number | ((state: State) => number);
  /**
   * What a passed deadline means, e.g. `build_timeout`. Default: a plain `step_timeout`, which ends the job; what is
   * no PermanentError is tried again.
   */
  onDeadline?: (state: State) => DiploError;
  /** Tries before a passing fault becomes a failure. Default 6 (about a minute of back-off). */
  attempts?: number;
}

/** The step after the last one. */
export const DONE = "done";

export interface JobKind<State> {
  name: string;
  steps: Record<string, Step<State>>;
  /** Runs when the job failed or was cancelled, before it ends so: undoes what it made. */
  unwind?: string;
  /** It mostly waits for others: it takes none of the places of those that work, or a few of them could hold up all. */
  waits?: boolean;
  /** A point of no return: from this step on a cancel comes too late. */
  cancellable?: (job: JobRow) => boolean;
  /** Written in the transaction that ends the job. */
  ended?: (job: JobRow, outcome: Outcome, error: ErrorRecord | null) => void;
}

export interface NewJob<State> {
  id: string;
  kind: string;
  lane: string;
  subject: string | null;
  step: string;
  state: State;
  createdBy: string;
  idempotencyKey?: string;
  /** Queued jobs of the same kind and lane that never ran are overtaken. */
  supersede?: boolean;
  notBefore?: number;
}

/** What the runner needs of whoever tells the world. Called inside the transaction. */
export interface JobEvents {
  emit(type: string, subject: string | null, payload: Record<string, unknown>): void;
}
