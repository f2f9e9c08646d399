import type { TObject, TSchema } from "@sinclair/typebox";

/** What a flag's value becomes. `pairs` is a repeated `NAME=value`, `list` a comma-separated or repeated text. */
export type FlagType = "text" | "integer" | "number" | "boolean" | "list" | "pairs";

export interface FlagSpec {
  /** As typed after `--`, e.g. `health.start-deadline-s`. */
  name: string;
  /** One letter after a single dash. */
  short?: string;
  /** Where the value belongs in the input, e.g. `["health", "start_deadline_s"]`. */
  path: string[];
  type: FlagType;
  /** Takes `none` for null. */
  nullable: boolean;
  choices: string[];
  required: boolean;
  /** Pairs that are the members of an object, not a list. */
  record?: boolean;
  /** Never taken from the command line itself, where everyone on the machine can read it. */
  secret?: boolean;
  /** Stands for the value in help, e.g. `N`. */
  placeholder: string;
  help: string;
}

/** Every field of an operation's input as a flag; objects inside become dotted names. */
export function flagsOf(schema: TObject, path: string[] = []): FlagSpec[] {
  const required = new Set(path.length === 0 ? (schema.required ?? []) : []);
  return Object.entries(schema.properties).flatMap(([key, field]) => {
    const at = [...path, key];
    if (field.type === "object" && field.properties) return flagsOf(field as TObject, at);
    // What has a default need not be said.
    return [flagOf(field, at, required.has(key) && field.default === undefined)];
  });
}

/** `start_deadline_s` and `start-deadline-s` are the same flag. */
export const flagName = (text: string): string => text.replaceAll("_", "-");

function flagOf(field: TSchema, path: string[], required: boolean): FlagSpec {
  const { schema, nullable } = withoutNull(field);
  const type = typeOf(schema);
  const choices = (schema.anyOf ?? []).flatMap((option: TSchema) =>
    option.const === undefined ? [] : [String(option.const)],
  );
  return {
    name: flagName(path.join(".")),
    path,
    type,
    nullable,
    choices,
    required,
    ...(schema.writeOnly === true && { secret: true }),
    ...(schema.type === "object" && { record: true }),
    placeholder: placeholderOf(type, choices),
    help: String(field.description ?? schema.description ?? ""),
  };
}

function withoutNull(field: TSchema): { schema: TSchema; nullable: boolean } {
  const options: TSchema[] = field.anyOf ?? [];
  const rest = options.filter((option) => option.type !== "null");
  if (rest.length === options.length) return { schema: field, nullable: false };
  return { schema: rest.length === 1 ? rest[0]! : ({ ...field, anyOf: rest } as TSchema), nullable: true };
}

function typeOf(schema: TSchema): FlagType {
  if (schema.type === "integer" || schema.type === "number" || schema.type === "boolean") return schema.type;
  if (schema.type === "array") return schema.items?.type === "object" ? "pairs" : "list";
  if (schema.type === "object") return "pairs";
  return "text";
}

function placeholderOf(type: FlagType, choices: string[]): string {
  if (choices.length > 0) return choices.join("|");
  return { text: "TEXT", integer: "N", number: "N", boolean: "", list: "A,B", pairs: "NAME=VALUE" }[type];
}
