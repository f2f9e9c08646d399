import { DiploError } from "../errors.ts";
import type { ErrorRecord, JobRow, Outcome } from "./job.ts";

/** What is kept and shown of anything thrown. A stranger's error keeps its message only: stacks are for the log. */
export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof DiploError)
    return {
      code: error.code,
      title: error.message,
      detail: error.detail,
      evidence: error.evidence,
      hint: error.hint ?? null,
    };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "internal",
    title: message,
    detail: `Something went wrong inside Diplo: ${message}`,
    evidence: [],
    hint: null,
  };
}

/** Why a job fails or was cancelled; null while nothing went wrong for good. */
export function errorOf(job: Pick<JobRow, "error">): ErrorRecord | null {
  return job.error === null ? null : (JSON.parse(job.error) as ErrorRecord);
}

export function cancelled(reason: string): DiploError {
  return new DiploError("cancelled", reason ? `cancelled: ${reason}` : "cancelled");
}

/** How a job ends that has this error. */
export function outcomeOf(error: ErrorRecord): Outcome {
  return error.code === "cancelled" ? "cancelled" : "failed";
}
