import { type FlagSpec, flagName } from "./flag-spec.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

export type FlagValue = string | number | boolean | null | string[];

export interface Arguments {
  /** By flag name, e.g. `health.path`. Pairs and lists gather over repetitions. */
  flags: Map<string, FlagValue>;
  positionals: string[];
  /** What stood after `--`, untouched. */
  rest: string[];
}

interface Options {
  /** The first positional and all after it belong to a command of the person's: nothing there is a flag of ours. */
  passThrough?: boolean;
}

/** Splits what a person typed after the verb. Throws UsageError naming the argument that does not fit. */
export function parseArguments(
  argv: readonly string[],
  specs: readonly FlagSpec[],
  options: Options = {},
): Arguments {
  const found: Arguments = { flags: new Map(), positionals: [], rest: [] };
  const waiting = [...argv];
  for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
    if (word === "--") {
      found.rest = waiting.splice(0);
    } else if (word.startsWith("--")) {
      longFlag(word.slice(2), waiting, specs, found.flags);
    } else if (/^-[a-zA-Z]/.test(word)) {
      shortFlag(word, waiting, specs, found.flags);
    } else if (options.passThrough) {
      found.rest = [word, ...waiting.splice(0)];
    } else found.positionals.push(word);
  }
  return found;
}

function longFlag(
  text: string,
  waiting: string[],
  specs: readonly FlagSpec[],
  into: Map<string, FlagValue>,
): void {
  const [, typed = "", given] = /^([^=]*)(?:=([\s\S]*))?$/.exec(text) ?? [];
  const name = flagName(typed);
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec) {
    take(spec, `--${name}`, given ?? textOf(spec, `--${name}`, waiting), into);
    return;
  }
  const negated = specs.find((candidate) => candidate.type === "boolean" && `no-${candidate.name}` === name);
  if (!negated) throw unknownFlag(name, specs);
  if (given !== undefined) throw new UsageError(`--${name} takes no value`);
  into.set(negated.name, false);
}

// -a blog, -ablog and -n20
function shortFlag(
  word: string,
  waiting: string[],
  specs: readonly FlagSpec[],
  into: Map<string, FlagValue>,
): void {
  const spec = specs.find((candidate) => candidate.short === word[1]);
  const attached = word.slice(2).replace(/^=/, "");
  if (!spec || (spec.type === "boolean" && attached)) throw new UsageError(`unknown flag ${word}`);
  take(spec, word.slice(0, 2), attached || textOf(spec, word, waiting), into);
}

function textOf(spec: FlagSpec, typed: string, waiting: string[]): string | undefined {
  if (spec.type === "boolean") return undefined;
  const next = waiting[0];
  if (next === undefined || (next.startsWith("--") && next.length > 2))
    throw new UsageError(`${typed} wants a value`, `${typed}=${spec.placeholder}`);
  return waiting.shift();
}

function take(spec: FlagSpec, typed: string, text: string | undefined, into: Map<string, FlagValue>): void {
  if (spec.type === "list" || spec.type === "pairs") {
    const before = into.get(spec.name);
    const more = spec.type === "list" ? (text ?? "").split(",").filter(Boolean) : [pair(typed, text ?? "")];
    into.set(spec.name, [...(Array.isArray(before) ? before : []), ...more]);
  } else into.set(spec.name, convert(spec, typed, text));
}

/** Turns a text into what the flag's type says. Throws UsageError. */
export function convert(spec: FlagSpec, typed: string, text: string | undefined): FlagValue {
  if (spec.type === "boolean") return truth(typed, text);
  const value = text ?? "";
  if (spec.nullable && /^(none|null)$/.test(value)) return null;
  if (spec.choices.length > 0 && !spec.choices.includes(value))
    throw new UsageError(`${typed} is "${value}", but must be ${orList(spec.choices)}`);
  if (spec.type === "integer" || spec.type === "number") return numeral(spec, typed, value);
  return value;
}

function truth(typed: string, text: string | undefined): boolean {
  if (text === undefined || /^(true|yes|on|1)$/i.test(text)) return true;
  if (/^(false|no|off|0)$/i.test(text)) return false;
  throw new UsageError(`${typed} is "${text}", but must be true or false`);
}

function numeral(spec: FlagSpec, typed: string, value: string): number {
  // Releases are written v3 everywhere, so v3 is what people type.
  const text = spec.path.at(-1) === "release" ? value.replace(/^v/i, "") : value;
  const pattern = spec.type === "integer" ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/;
  if (!pattern.test(text))
    throw new UsageError(
      `${typed} is "${value}", but must be a ${spec.type === "integer" ? "whole number" : "number"}`,
    );
  return Number(text);
}

function pair(typed: string, text: string): string {
  if (!/^[^=]+=/.test(text)) throw new UsageError(`${typed} wants NAME=value, not "${text}"`);
  return text;
}

function unknownFlag(name: string, specs: readonly FlagSpec[]): UsageError {
  const guess = nearest(
    name,
    specs.map((spec) => spec.name),
  );
  return new UsageError(`unknown flag --${name}`, guess && `Did you mean --${guess}?`);
}

function orList(words: string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
