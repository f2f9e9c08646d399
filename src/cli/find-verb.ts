import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";
import type { Verb } from "./verb.ts";

export interface Found {
  verb: Verb;
  /** What is left of the command line. */
  rest: string[];
  /** What was meant if its first argument is none: `ps:scale` of `ps scal`. */
  meant?: string | undefined;
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
  if (verb) return { verb, rest: argv.slice(1), meant: nearestBelow(verbs, first, second) };
  throw unknown(verbs, first, second);
}

/** The verb of this noun that the second word is a slip for. */
function nearestBelow(verbs: readonly Verb[], noun: string, word: string): string | undefined {
  const below = verbs.map(({ name }) => name).filter((name) => name.startsWith(`${noun}:`));
  const slip = nearest(
    word,
    below.map((name) => name.slice(noun.length + 1)),
  );
  return slip && `${noun}:${slip}`;
}

/** What other tools call it. */
const ELSEWHERE: Record<string, string> = {
  delete: "apps:destroy",
  env: "config",
  exec: "run",
  list: "apps",
  ls: "apps",
  push: "deploy",
  remove: "apps:destroy",
  rm: "apps:destroy",
  secrets: "config",
  shell: "run",
  ssh: "run",
  status: "apps:info",
  volumes: "storage",
};

function unknown(verbs: readonly Verb[], first: string, second: string): UsageError {
  const names = verbs.map((verb) => verb.name);
  const group = names.filter((name) => name.startsWith(`${first}:`));
  if (group.length > 0) return new UsageError(`diplo ${first} wants one of: ${group.join(", ")}`);
  const guesses = guessed(first, second, names);
  return new UsageError(
    `unknown verb "${first}"`,
    guesses.length > 0
      ? `Did you mean: ${guesses.map((name) => `diplo ${name}`).join(", or ")}`
      : "diplo help lists them all.",
  );
}

/** A word of other tools, a verb without its noun (`restart`; `set` may be one of several), a slip of the fingers. */
function guessed(first: string, second: string, names: readonly string[]): string[] {
  const elsewhere = ELSEWHERE[first];
  if (elsewhere !== undefined && names.includes(elsewhere)) return [elsewhere];
  const withoutNoun = names.filter((name) => name.endsWith(`:${first}`));
  if (withoutNoun.length > 0) return withoutNoun;
  return [nearest(first, names) ?? nearest(`${first}:${second}`, names)].filter((name) => name !== undefined);
}
