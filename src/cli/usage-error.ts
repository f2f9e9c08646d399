import { DiploError } from "../errors.ts";

/** The command line itself is wrong: exit code 2, nothing was asked of the box. */
export class UsageError extends DiploError {
  override name = "UsageError";

  constructor(message: string, hint?: string) {
    super("usage", message, { hint });
  }
}
