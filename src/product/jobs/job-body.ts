import { type Static, Type as t } from "@sinclair/typebox";
import { errorOf } from "../../jobs/error-record.ts";
import type { JobRow } from "../../jobs/job.ts";
import { ErrorBody, iso, isoOrNull, Time } from "../schema.ts";

/** A long operation as the API shows it. */
export const Job = t.Object({
  id: t.String(),
  type: t.String(),
  status: t.String(),
  step: t.String(),
  progress: t.Number(),
  message: t.String(),
  attempts: t.Integer(),
  subject: t.Union([t.String(), t.Null()]),
  error: t.Union([ErrorBody, t.Null()]),
  created_by: t.String(),
  created_at: Time,
  started_at: t.Union([Time, t.Null()]),
  finished_at: t.Union([Time, t.Null()]),
});
export type Job = Static<typeof Job>;

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
    error: errorOf(row),
    created_by: row.created_by,
    created_at: iso(row.created_at),
    started_at: isoOrNull(row.started_at),
    finished_at: isoOrNull(row.finished_at),
  };
}
