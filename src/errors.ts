/** The stable codes of a failed deployment (capabilities C12). Scripts match on them: add, never rename. */
export type FailureCode =
  | "repo_not_found"
  | "repo_unreachable"
  | "auth_failed"
  | "branch_not_found"
  | "repo_empty"
  | "nothing_detected"
  | "compose_not_supported"
  | "build_failed"
  | "build_timeout"
  | "build_oom"
  | "release_command_failed"
  | "post_deploy_failed"
  | "app_json_invalid"
  | "config_missing"
  | "config_invalid"
  | "no_start_command"
  | "exit_nonzero"
  | "oom_killed"
  | "crash_loop"
  | "wrong_port"
  | "listens_on_loopback"
  | "health_status"
  | "health_timeout"
  | "image_not_found"
  | "arch_mismatch"
  | "registry_unreachable"
  | "disk_full"
  | "engine_down"
  | "runtime_unavailable"
  | "interrupted";

export interface ErrorFacts {
  /** HTTP status the doors answer with. Default 422. */
  status?: number;
  /** One plain sentence for the person: what is wrong. Default: the terse message. */
  detail?: string;
  /** What to do about it. */
  hint?: string;
  /** Lines or facts the conclusion rests on, e.g. the dead container's last output. Never a secret. */
  evidence?: string[];
  /** Fields of the input that are wrong, for forms and `errors[]` of the problem document. */
  fields?: { field: string; message: string }[];
  /** Further members of the problem document, e.g. `deployment_id`. Never a secret. */
  facts?: Record<string, string | number | null>;
  cause?: unknown;
}

/**
 * An error written twice: `message` is terse, for the log; `detail` and `hint` are plain, for the person.
 * `code` is stable and part of the outside contract.
 */
export class DiploError extends Error {
  override name = "DiploError";
  readonly status: number;
  readonly detail: string;
  readonly hint: string | undefined;
  readonly evidence: string[];
  readonly fields: { field: string; message: string }[];
  readonly facts: Record<string, string | number | null>;

  constructor(
    readonly code: string,
    message: string,
    facts: ErrorFacts = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status ?? 422;
    this.detail = facts.detail ?? message;
    this.hint = facts.hint;
    this.evidence = facts.evidence ?? [];
    this.fields = facts.fields ?? [];
    this.facts = facts.facts ?? {};
  }
}

/** A person's mistake, or a fact that no retry changes: the job fails at once. Anything else backs off and retries. */
export class PermanentError extends DiploError {
  override name = "PermanentError";
}

/** Input that does not fit: 422 with the field's name and the remedy. */
export function invalid(field: string, message: string, hint?: string): DiploError {
  return new DiploError("invalid", `${field}: ${message}`, {
    fields: [{ field, message }],
    hint,
    status: 422,
  });
}

/** Something asked for by name does not exist: 404. */
export function notFound(what: string, name: string, hint?: string): DiploError {
  return new DiploError(`${what}_not_found`, `${what} "${name}" does not exist`, { hint, status: 404 });
}

/** The request is right, but not in the present state: 409. */
export function conflict(code: string, message: string, hint?: string): DiploError {
  return new DiploError(code, message, { hint, status: 409 });
}

/** The terse text of anything thrown, for the log. */
export function terse(error: unknown): string {
  if (error instanceof DiploError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message || error.name : String(error);
}
