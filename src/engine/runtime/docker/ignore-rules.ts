import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface IgnoreRules {
  ignores(path: string): boolean;
  /** Some rule brings things back in: ignored directories must be looked into all the same. */
  reincludes: boolean;
}

/** The context's `.dockerignore`, or the Dockerfile's own (`<Dockerfile>.dockerignore`), which takes its place. */
export async function ignoreRules(directory: string, dockerfile: string | null): Promise<IgnoreRules> {
  const text =
    (dockerfile && (await read(join(directory, `${dockerfile}.dockerignore`)))) ||
    (await read(join(directory, ".dockerignore")));
  const lines = (text ?? "").split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (lines.length === 0) return { ignores: () => false, reincludes: false };
  const { default: createIgnore } = await import("@balena/dockerignore");
  const rules = createIgnore({ ignorecase: false }).add(lines);
  return {
    ignores: (path) => path !== dockerfile && rules.ignores(path),
    // The Dockerfile may lie in an ignored directory.
    reincludes: lines.some((line) => line.trim().startsWith("!")) || (dockerfile?.includes("/") ?? false),
  };
}

async function read(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
