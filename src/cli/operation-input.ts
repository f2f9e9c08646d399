import type { TSchema } from "@sinclair/typebox";
import type { Operation } from "../operation.ts";
import type { CliIo } from "./cli-io.ts";
import { type FlagSpec, flagsOf } from "./flag-spec.ts";
import { type Arguments, convert, type FlagValue } from "./parse-arguments.ts";
import { UsageError } from "./usage-error.ts";
import { secretFrom } from "./value-source.ts";

export type Input = Record<string, unknown>;

interface InputContext {
  io: CliIo;
  app(): Promise<string>;
}

/**
 * An operation's input from what was typed. The app is the first positional where the operation says so, else -a,
 * else what else tells it. Throws UsageError for what is missing or too much.
 */
export async function inputOf(operation: Operation, given: Arguments, context: InputContext): Promise<Input> {
  const specs = flagsOf(operation.input);
  const input: Input = {};
  for (const spec of specs) {
    const value = given.flags.get(spec.name);
    if (value !== undefined) place(input, spec.path, await fieldValue(operation, spec, value, context));
  }
  const left = placePositionals(operation, specs, given.positionals, input);
  if (operation.bodyAs) input[operation.bodyAs] = record(operation.input.properties[operation.bodyAs]!, left);
  else if (left.length > 0) throw new UsageError(`"${left[0]}" is one argument too many`);
  if ("app" in operation.input.properties) input.app ??= await context.app();
  for (const spec of specs)
    if (spec.required && input[spec.path[0]!] === undefined) throw new UsageError(`${spec.name} is missing`);
  return input;
}

/** Answers the positionals that no argument took. */
function placePositionals(
  operation: Operation,
  specs: FlagSpec[],
  positionals: string[],
  input: Input,
): string[] {
  const waiting = [...positionals];
  const names = (operation.args ?? []).filter((name) => input[name] === undefined);
  if (names[0] === "app" && waiting.length < names.length && fits(specs, names[1], waiting[0])) names.shift();
  for (const name of names) {
    const text = waiting.shift();
    const spec = specs.find((candidate) => candidate.path[0] === name);
    if (text !== undefined && spec) input[name] = convert(spec, name, text);
  }
  return waiting;
}

// `rollback v3` in the app's own directory: v3 is a release, not an app.
function fits(specs: FlagSpec[], name: string | undefined, text: string | undefined): boolean {
  const spec = specs.find((candidate) => candidate.path[0] === name);
  return spec?.type === "integer" && /^v?\d+$/i.test(text ?? "");
}

async function fieldValue(
  { private: hidden }: Operation,
  spec: FlagSpec,
  value: FlagValue,
  { io }: InputContext,
): Promise<unknown> {
  const secret = spec.secret || (spec.path.length === 1 && hidden?.includes(spec.path[0]!));
  if (typeof value === "string" && secret) return secretFrom(`--${spec.name}`, value, io);
  if (spec.type !== "pairs" || !Array.isArray(value)) return value;
  const given = value.map((text) => {
    const at = text.indexOf("=");
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  return spec.record ? Object.fromEntries(given.map(({ name, value }) => [name, value])) : given;
}

/** `web=3 worker=1` as the object that a body is. */
function record(schema: TSchema, words: string[]): Record<string, unknown> {
  const values: TSchema = Object.values(schema.patternProperties ?? {})[0] as TSchema;
  if (words.length === 0) throw new UsageError("wants NAME=VALUE");
  return Object.fromEntries(
    words.map((word) => {
      const [, name, text = ""] = /^([^=]+)=([\s\S]*)$/.exec(word) ?? [];
      if (!name) throw new UsageError(`"${word}" is not NAME=VALUE`);
      return [name, values?.type === "integer" ? wholeNumber(name, text) : text];
    }),
  );
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${name}=${text} wants a whole number`);
  return Number(text);
}

function place(input: Input, path: string[], value: unknown): void {
  const [key = "", ...rest] = path;
  if (rest.length === 0) {
    input[key] = value;
    return;
  }
  const inner = (input[key] ?? {}) as Input;
  input[key] = inner;
  place(inner, rest, value);
}
