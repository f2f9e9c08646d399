import type { FailureView } from "../../ui/components/failure.tsx";
import type { FieldErrors } from "../../ui/components/field.tsx";
import { DiploError } from "../errors.ts";

export interface Refusal {
  errors: FieldErrors;
  /** What belongs to no field of the form. */
  failure: FailureView | null;
  status: number;
}

/**
 * What a form is told when its operation refused: errors beside the fields it has, anything else on top. Faults of
 * ours are not for the form: they are thrown on.
 */
export function refusalOf(error: unknown, fields: readonly string[] | ((field: string) => boolean)): Refusal {
  if (!(error instanceof DiploError) || error.status >= 500) throw error;
  const has = typeof fields === "function" ? fields : (field: string) => fields.includes(field);
  const mine = error.fields.filter(({ field }) => has(field));
  const errors = Object.fromEntries(mine.map(({ field, message }) => [field, sentence(message, error.hint)]));
  const failure = mine.length > 0 && mine.length === error.fields.length ? null : failureOf(error);
  return { errors, failure, status: 422 };
}

export function failureOf(error: DiploError): FailureView {
  return {
    code: error.code,
    title: "This did not work",
    detail: error.detail,
    evidence: error.evidence,
    hint: error.hint ?? null,
  };
}

function sentence(message: string, hint: string | undefined): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return hint ? `${text.replace(/\.?$/, ".")} ${hint}` : text;
}
