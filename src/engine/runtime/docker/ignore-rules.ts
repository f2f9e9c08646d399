import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContextFilter } from "./context-tree.ts";

const EVERYTHING: ContextFilter = { includes: () => true, enters: () => true };

/** The context's `.dockerignore`, or the Dockerfile's own (`<Dockerfile>.dockerignore`), which takes its place. */
export async function ignoreRules(root: string, dockerfile: string | null): Promise<ContextFilter> {
  const own = dockerfile === null ? null : await read(join(root, `${dockerfile}.dockerignore`));
  const text = own ?? (await read(join(root, ".dockerignore"))) ?? "";
  const patterns = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const rules = await ignorePatterns(patterns);
  if (dockerfile === null) return rules;
  // The Dockerfile is sent in any case, also out of an ignored directory.
  return {
    includes: (path) => path === dockerfile || rules.includes(path),
    enters: (path) => dockerfile.startsWith(`${path}/`) || rules.enters(path),
  };
}

/** Lets through what lines of a `.dockerignore` do not exclude. */
export async function ignorePatterns(patterns: string[]): Promise<ContextFilter> {
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
