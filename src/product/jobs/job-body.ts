import type { JobRow } from "../../jobs/job.ts";
import { iso, isoOrNull, type Job } from "../schema.ts";

/** A job as the API shows it. */
export function jobBody(row: JobRow): Job {
  return {
    id: row.id,
    type: row.kind,
    status: row.status,
    step: row.step,
    progress: row.status === "succeeded" ? 1 : row.progress,
    message: row.message,
    attempts: row.attempt,
    subject: row.subject,
    error: row.error === null ? null : JSON.parse(row.error),
    created_by: row.created_by,
    created_at: iso(row.created_at),
    started_at: isoOrNull(row.started_at),
    finished_at: isoOrNull(row.finished_at),
  };
}
