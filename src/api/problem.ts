import { DiploError, terse } from "../errors.ts";
import type { Log } from "../log.ts";
import { TooManyRequests } from "../security/auth/rate-limit.ts";

/** An error as the API tells it (RFC 9457). `code` is stable; `detail` and `hint` are for people. */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  code: string;
  detail: string;
  hint?: string;
  evidence?: string[];
  errors?: { field: string; message: string }[];
  request_id: string;
}

/** What went wrong, without anything that an error of ours did not mean to tell: no stack, no foreign message. */
export function problemOf(error: unknown, requestId: string): Problem {
  const told = tellable(error);
  return {
    // First: a fact never overwrites a member that has a meaning of its own.
    ...told.facts,
    type: "about:blank",
    title: TITLES[told.status] ?? "Error",
    status: told.status,
    code: told.code,
    detail: told.detail,
    ...(told.hint !== undefined && { hint: told.hint }),
    ...(told.evidence.length > 0 && { evidence: told.evidence }),
    ...(told.fields.length > 0 && { errors: told.fields }),
    request_id: requestId,
  };
}

export function problemResponse(
  problem: Partial<Problem> & { status: number },
  headers: Record<string, string> = {},
): Response {
  const title = TITLES[problem.status] ?? "Error";
  return new Response(JSON.stringify({ type: "about:blank", title, ...problem }), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/** Headers that belong to an error: how to sign in, when to come back. */
export function problemHeaders(error: unknown): Record<string, string> {
  if (error instanceof TooManyRequests) return { "retry-after": String(error.waitS) };
  if (error instanceof DiploError && error.status === 401) return { "www-authenticate": "Bearer" };
  return {};
}

/** Ours that mean a fault of ours, and everything foreign, go to the log with the id the asker was told. */
export function logFault(log: Log, error: unknown, requestId: string): void {
  if (error instanceof DiploError && error.status < 500) return;
  const stack = error instanceof Error ? error.stack : undefined;
  log.error("request failed", { request_id: requestId, error: terse(error), stack });
}

function tellable(error: unknown): DiploError {
  if (error instanceof DiploError) return error;
  if ((error as { code?: unknown } | null)?.code === "SQLITE_FULL")
    return new DiploError("disk_full", "database: no space left", {
      status: 507,
      detail: "The disk is full; nothing was changed.",
      hint: "Make room on the box, then try again.",
    });
  return new DiploError("internal", "internal error", {
    status: 500,
    detail: "Something went wrong inside Diplo.",
    hint: "The box's log tells more under this request_id: journalctl -u diplo",
  });
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};
