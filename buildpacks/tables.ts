import type { SourceTree } from "../src/engine/build/tree.ts";

/** What a manifest says by name; nothing of it has been checked. */
export type Table = Record<string, unknown>;

/** The value where it is a table, else an empty one. */
export function tableOf(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

/** A TOML file of the tree; empty when it is absent or broken. */
export async function readToml(tree: SourceTree, path: string): Promise<Table> {
  const text = await tree.read(path);
  if (text === null) return {};
  try {
    return tableOf(Bun.TOML.parse(text));
  } catch {
    return {};
  }
}
