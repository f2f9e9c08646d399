import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";
import type { Verb } from "./verb.ts";

export interface Found {
  verb: Verb;
  /** What is left of the command line. */
  rest: string[];
}

/**
 * The verb a command line starts with: `apps:create shop` and `apps create shop` alike. The space form counts only
 * where the second word makes a verb, so that `apps:info` can be `info`'s noun and `ps web` still an argument.
 * Throws UsageError with the nearest verb for an unknown one.
 */
export function findVerb(verbs: readonly Verb[], argv: readonly string[]): Found {
  const [first = "", second = ""] = argv;
  const named = (name: string) => verbs.find((verb) => verb.name === name);
  const joined = /^[a-z-]+$/.test(second) ? named(`${first}:${second}`) : undefined;
  if (joined) return { verb: joined, rest: argv.slice(2) };
  const verb = named(first);
  if (verb) return { verb, rest: argv.slice(1) };
  throw unknown(verbs, first, second);
}

function unknown(verbs: readonly Verb[], first: string, second: string): UsageError {
  const names = verbs.map((verb) => verb.name);
  const group = names.filter((name) => name.startsWith(`${first}:`));
  if (group.length > 0) return new UsageError(`diplo ${first} wants one of: ${group.join(", ")}`);
  const guess = nearest(first, names) ?? nearest(`${first}:${second}`, names);
  return new UsageError(
    `unknown verb "${first}"`,
    guess ? `Did you mean: diplo ${guess}` : "diplo help lists them all.",
  );
}
