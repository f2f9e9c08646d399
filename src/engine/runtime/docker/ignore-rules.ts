import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContextFilter } from "./context-tree.ts";

export const EVERYTHING: ContextFilter = { includes: () => true, enters: () => true };

/**
 * The context's `.dockerignore`, or the Dockerfile's own (`<Dockerfile>.dockerignore`), which takes its place; then
 * `more` lines, which have the last word.
 */
export async function ignoreRules(
  root: string,
  dockerfile: string | null,
  more: string[] = [],
): Promise<ContextFilter> {
  const own = dockerfile === null ? null : await read(join(root, `${dockerfile}.dockerignore`));
  const text = own ?? (await read(join(root, ".dockerignore"))) ?? "";
  const lines = [...text.split(/\r?\n/), ...more];
  return ignorePatterns(lines.filter((line) => line.trim() !== "" && !line.startsWith("#")));
}

/** The same filter, but for one file that is let through in any case, also out of an ignored directory. */
export function except(filter: ContextFilter, path: string): ContextFilter {
  return {
    includes: (other) => other === path || filter.includes(other),
    enters: (directory) => path.startsWith(`${directory}/`) || filter.enters(directory),
  };
}

/** Lets through what lines of a `.dockerignore` do not exclude. */
async function ignorePatterns(patterns: string[]): Promise<ContextFilter> {
  if (patterns.length === 0) return EVERYTHING;
  const { default: createIgnore } = await import("@balena/dockerignore");
  const rules = createIgnore({ ignorecase: false }).add(patterns);
  // With exceptions (`!keep`) every directory must be looked into.
  const exceptions = patterns.some((line) => line.trim().startsWith("!"));
  const includes = (path: string) => !rules.ignores(path);
  return { includes, enters: exceptions ? () => true : includes };
}

async function read(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
