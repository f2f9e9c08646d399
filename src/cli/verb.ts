import type { CliContext } from "./cli-context.ts";
import type { FlagSpec } from "./flag-spec.ts";
import type { Arguments } from "./parse-arguments.ts";

/** One thing the command line can do, declared by hand or made from an operation. */
export interface Verb {
  /** Colon form, e.g. `ps:scale`. */
  name: string;
  summary: string;
  /** What follows the name in help, e.g. `<git-url|dir>`. */
  usage: string;
  flags: readonly FlagSpec[];
  example?: string;
  /** Longer text under --help. */
  notes?: string;
  /** Everything from the first positional on is the person's own command. */
  passThrough?: boolean;
  /** Answers the exit code. */
  run(given: Arguments, context: CliContext): Promise<number>;
}
