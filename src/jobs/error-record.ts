import { DiploError } from "../errors.ts";
import type { ErrorRecord } from "./job.ts";

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
