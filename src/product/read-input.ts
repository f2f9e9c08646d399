import { Kind, type Static, type TObject, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { DiploError } from "../errors.ts";
import { inWords } from "./in-words.ts";

interface FieldError {
  field: string;
  message: string;
}

/**
 * Raw input (path, query, form and JSON in one object) → the operation's input: texts become numbers and booleans
 * where those are wanted, defaults fill in. Throws `invalid` naming every wrong, missing and unknown field with its
 * remedy; never a value, since it may be a secret.
 */
export function readInput<Input extends TObject>(schema: Input, raw: Record<string, unknown>): Static<Input> {
  const input = Value.Default(schema, fit(schema, raw));
  const errors = [...unknownFields(schema, input), ...wrongFields(schema, input)];
  if (errors.length > 0) throw invalidFields(errors);
  return input as Static<Input>;
}

/** A copy in which texts are what the schema asks for, where that is possible without loss. */
function fit(schema: TSchema, value: unknown): unknown {
  if (typeof value === "string") return Value.Check(schema, value) ? value : fromText(schema, value);
  if (Array.isArray(value))
    return schema[Kind] === "Array" ? value.map((item) => fit(schema.items, item)) : value;
  if (typeof value !== "object" || value === null) return value;
  const inner = objectSchema(schema);
  if (inner === null) return value;
  // fromEntries defines own properties: a field named __proto__ stays a field.
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fitField(inner, name, item)]));
}

function fitField(schema: TSchema, name: string, value: unknown): unknown {
  const field = fieldSchema(schema, name);
  return field ? fit(field, value) : value;
}

function fromText(schema: TSchema, text: string): unknown {
  switch (schema[Kind]) {
    case "Integer":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case "Number":
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
    case "Boolean":
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      return /^(false|0|no|off)$/i.test(text) ? false : text;
    case "Null":
      return text === "" || text === "null" ? null : text;
    case "Array":
      return [fit(schema.items, text)];
    case "Union": {
      const candidates = (schema.anyOf as TSchema[]).map((one) => fit(one, text));
      const at = candidates.findIndex((value) => Value.Check(schema, value));
      return at < 0 ? text : candidates[at];
    }
    default:
      return text;
  }
}

function unknownFields(schema: TSchema, value: unknown, path = ""): FieldError[] {
  if (Array.isArray(value))
    return schema[Kind] === "Array"
      ? value.flatMap((item, at) => unknownFields(schema.items, item, `${path}${at}.`))
      : [];
  const inner = typeof value === "object" && value !== null ? objectSchema(schema) : null;
  if (inner === null) return [];
  return Object.entries(value as object).flatMap(([name, item]) => {
    const field = fieldSchema(inner, name);
    if (field) return unknownFields(field, item, `${path}${name}.`);
    const known = Object.keys(inner.properties).join(", ");
    return [
      {
        field: `${path}${shown(name)}`,
        message: known ? `is not known here; known are ${known}` : "is not known here",
      },
    ];
  });
}

function wrongFields(schema: TSchema, value: unknown): FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const { path, schema: wanted, value: found } of Value.Errors(schema, value)) {
    const field = path.slice(1).split("/").map(unescapePointer).map(shown).join(".");
    if (errors.has(field)) continue;
    const missing = found === undefined;
    errors.set(field, { field, message: `${missing ? "is missing; it " : ""}must be ${inWords(wanted)}` });
  }
  return [...errors.values()];
}

/** The object or record that a value of this schema is; null when there is none, or several. */
function objectSchema(schema: TSchema): TSchema | null {
  if (schema[Kind] === "Object" || schema[Kind] === "Record") return schema;
  if (schema[Kind] !== "Union") return null;
  const objects = (schema.anyOf as TSchema[]).filter((one) => objectSchema(one) !== null);
  return objects.length === 1 ? objectSchema(objects[0]!) : null;
}

function fieldSchema(schema: TSchema, name: string): TSchema | undefined {
  if (schema[Kind] === "Record") return Object.values(schema.patternProperties as Record<string, TSchema>)[0];
  return Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}

// RFC 6901: how TypeBox spells a name in a path.
const unescapePointer = (name: string) => name.replaceAll("~1", "/").replaceAll("~0", "~");

// A name can be a mistyped secret as well: it is kept short, and on one line.
const shown = (name: string) => name.replace(/[^\x20-\x7e]/g, "?").slice(0, 64);

function invalidFields(fields: FieldError[]): DiploError {
  const sentences = fields.map(({ field, message }) =>
    field ? `${field} ${message}` : `The body ${message}`,
  );
  const detail = `${sentences.slice(0, 5).join("; ")}${sentences.length > 5 ? `; and ${sentences.length - 5} more` : ""}.`;
  return new DiploError("invalid", `invalid input: ${fields.map(({ field }) => field).join(", ")}`, {
    status: 422,
    detail,
    fields,
  });
}
