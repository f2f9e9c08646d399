import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import type { PackageJson } from "./package-json.ts";

/** Files that a package without scripts is started by. */
const PROGRAMS = ["Procfile", "server.js", "index.js", "app.js", "index.mjs", "index.ts"];
const SCRIPT = /<script\b[^>]*\ssrc\s*=\s*["']?\.?\/?([^"'\s>]+)/gi;

/**
 * Whether a tree is a page, with a package.json for the tools of its maker: an index.html, and no program but the
 * scripts that it loads. What `main` says counts for nothing while no such file is there: `npm init` writes it.
 */
export async function isPage(tree: SourceTree, { scripts, main }: PackageJson): Promise<boolean> {
  const page = await tree.read("index.html");
  if (page === null || scripts.start !== undefined) return false;
  const loaded = new Set([...page.matchAll(SCRIPT)].map((match) => match[1]));
  const programs = [...PROGRAMS, ...(main === null ? [] : [main.replace(/^\.\//, "")])];
  return (
    (await firstOf(
      tree,
      programs.filter((path) => !loaded.has(path)),
    )) === null
  );
}
