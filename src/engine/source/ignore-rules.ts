import { readFile } from "node:fs/promises";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import ignore from "ignore";

/** Answers whether a path (relative, `/` between its parts) stays behind. */
export interface IgnoreRules {
  ignores(path: string, isDirectory: boolean): boolean;
  /** The rules inside a directory: its own .gitignore counts below it. */
  enter(path: string): Promise<IgnoreRules>;
}

/** Never of use to a build, whatever a repository says: history, and packages for another machine. */
const ALWAYS = new Set([".git", "node_modules"]);

/** Read by Diplo or the builder itself: they travel even when .dockerignore leaves them out of the image. */
const NEEDED = /^(Dockerfile[^/]*|\.dockerignore|Procfile|app\.json)$/;

interface Level {
  directory: string;
  rules: ReturnType<typeof ignore>;
}

/** The rules of .gitignore (gitignore(5), at every depth) and of .dockerignore (at the root). */
export async function readIgnoreRules(root: string): Promise<IgnoreRules> {
  const docker = dockerignore({ ignorecase: false }).add(await textOf(join(root, ".dockerignore")));
  return rulesAt(root, [await levelAt(root, "")], docker);
}

function rulesAt(root: string, levels: Level[], docker: ReturnType<typeof dockerignore>): IgnoreRules {
  return {
    ignores(path, isDirectory) {
      if (ALWAYS.has(path.slice(path.lastIndexOf("/") + 1))) return true;
      if (NEEDED.test(path)) return false;
      // A directory may be left out and a file in it taken back (`!`): only its files are asked.
      return gitIgnores(levels, path, isDirectory) || (!isDirectory && docker.ignores(path));
    },
    async enter(path) {
      return rulesAt(root, [...levels, await levelAt(root, path)], docker);
    },
  };
}

async function levelAt(root: string, directory: string): Promise<Level> {
  return { directory, rules: ignore().add(await textOf(join(root, directory, ".gitignore"))) };
}

/** The deepest .gitignore that says something wins. */
function gitIgnores(levels: Level[], path: string, isDirectory: boolean): boolean {
  let ignored = false;
  for (const { directory, rules } of levels) {
    const inside = directory === "" ? path : path.slice(directory.length + 1);
    const said = rules.test(isDirectory ? `${inside}/` : inside);
    if (said.ignored) ignored = true;
    else if (said.unignored) ignored = false;
  }
  return ignored;
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
