import { DiploError } from "../errors.ts";

/** RFC 9457 problem document, with our `code`, `hint` and `evidence`. */
export interface Problem {
  status?: number;
  title?: string;
  code?: string;
  detail?: string;
  hint?: string | null;
  evidence?: string[];
  errors?: { field: string; message: string }[];
  deployment_id?: string;
}

/** What the box answered instead of what was asked for. */
export class BoxError extends DiploError {
  override name = "BoxError";

  constructor(
    status: number,
    readonly problem: Problem,
  ) {
    super(problem.code ?? `http_${status}`, problem.title ?? `the box answered ${status}`, {
      status,
      detail: problem.detail ?? problem.title ?? `The box answered ${status}.`,
      // What a browser should do when it is not signed in is of no use here.
      hint: status === 401 ? hintOf(status) : (problem.hint ?? hintOf(status)),
      evidence: problem.evidence,
      fields: problem.errors,
    });
  }

  static async from(response: Response): Promise<BoxError> {
    const text = await response.text().catch(() => "");
    return new BoxError(response.status, problemOf(text));
  }
}

function problemOf(text: string): Problem {
  try {
    const parsed = JSON.parse(text);
    return parsed !== null && typeof parsed === "object" ? parsed : {};
  } catch {
    return {};
  }
}

function hintOf(status: number): string | undefined {
  if (status === 401) return "Sign in with: diplo login (or set DIPLO_TOKEN)";
  if (status === 403) return "Ask the owner of the box for a token that may do this: diplo tokens:create";
  return undefined;
}
