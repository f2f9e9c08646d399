import { Kind, type TSchema } from "@sinclair/typebox";

/** What a value has to be, in plain words that follow "must be". Never looks at a value. */
export function inWords(schema: TSchema): string {
  const words = kindInWords(schema);
  return schema.description ? `${words} (${lowerFirst(schema.description)})` : words;
}

function kindInWords(schema: TSchema): string {
  switch (schema[Kind]) {
    case "String":
      return `text${lengthInWords(schema, "character")}`;
    case "Integer":
      return `a whole number${rangeInWords(schema)}`;
    case "Number":
      return `a number${rangeInWords(schema)}`;
    case "Boolean":
      return "true or false";
    case "Null":
      return "null";
    case "Literal":
      return JSON.stringify(schema.const);
    case "Array":
      return `a list${lengthInWords({ minLength: schema.minItems, maxLength: schema.maxItems }, "entry", "entries")}`;
    case "Union":
      return orInWords((schema.anyOf as TSchema[]).map(kindInWords));
    case "Record":
      return "an object of names and values";
    case "Object":
      return `an object with ${Object.keys(schema.properties).join(", ")}`;
    default:
      return "a fitting value";
  }
}

function lengthInWords(
  { minLength, maxLength }: TSchema | { minLength?: number; maxLength?: number },
  one: string,
  many = `${one}s`,
): string {
  if (minLength !== undefined && maxLength !== undefined) return ` of ${minLength} to ${maxLength} ${many}`;
  if (maxLength !== undefined) return ` of at most ${maxLength} ${many}`;
  if (minLength !== undefined) return ` of at least ${minLength} ${minLength === 1 ? one : many}`;
  return "";
}

function rangeInWords({ minimum, maximum }: TSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` between ${minimum} and ${maximum}`;
  if (maximum !== undefined) return ` up to ${maximum}`;
  if (minimum !== undefined) return ` from ${minimum} up`;
  return "";
}

function orInWords(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
