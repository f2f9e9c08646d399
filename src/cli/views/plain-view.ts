import { pairs, table } from "../table.ts";
import type { View } from "./view-facts.ts";

/** Any JSON as text: a list of objects is a table, an object is `name  value` lines. */
export const plainView: View<unknown> = (body) => {
  if (Array.isArray(body)) return body.length === 0 ? "none\n" : listView(body);
  if (body === null || typeof body !== "object") return `${cell(body)}\n`;
  const facts = Object.entries(body).flatMap(([name, value]) => factsOf(title(name), value));
  return facts.length === 0 ? "" : pairs(facts);
};

/** An object inside shows each of its fields: `proxy pid  4`. */
function factsOf(name: string, value: unknown): (readonly [string, string])[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[name, cell(value)]];
  return Object.entries(value).map(([field, inner]) => [`${name} ${title(field)}`, cell(inner)]);
}

function listView(rows: unknown[]): string {
  if (typeof rows[0] !== "object" || rows[0] === null) return rows.map((row) => `${cell(row)}\n`).join("");
  const columns = Object.keys(rows[0]).map((name) => ({
    title: title(name).toUpperCase(),
    cell: (row: unknown) => cell((row as Record<string, unknown>)[name]),
  }));
  return table(columns, rows);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(", ") || "-";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const title = (name: string): string => name.replaceAll("_", " ");
