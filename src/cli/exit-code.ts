import { DiploError } from "../errors.ts";

export const EXIT = { ok: 0, failed: 1, usage: 2, notAllowed: 4, cancelled: 130 } as const;

/** Part of the contract (capabilities M4): 2 = the command line or a setting is wrong, 4 = not allowed. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof DiploError)) return EXIT.failed;
  if (error.code === "usage" || error.code === "bad_setting") return EXIT.usage;
  if (error.code === "cancelled") return EXIT.cancelled;
  if (error.status === 401 || error.status === 403) return EXIT.notAllowed;
  return EXIT.failed;
}
