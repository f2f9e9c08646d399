import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GIT_PATH } from "./git.ts";

/** git-lfs as a filter of the checkout, when it is installed: what `git lfs install` would write, and where to ask. */
export function largeFileSettings(repo_url: string): [string, string][] {
  if (!isInstalled()) return [];
  const url = repo_url.startsWith("/")
    ? `file://${repo_url}`
    : repo_url.startsWith("http")
      ? `${repo_url.replace(/(\.git)?\/?$/, ".git")}/info/lfs`
      : repo_url;
  return [
    ["filter.lfs.process", "git-lfs filter-process"],
    ["filter.lfs.smudge", "git-lfs smudge -- %f"],
    ["filter.lfs.required", "true"],
    ["lfs.url", url],
    ["lfs.concurrenttransfers", "4"],
  ];
}

/** One sentence when a tree has files that only git-lfs can bring; null when it does not, or has it. */
export async function missingLargeFiles(directory: string): Promise<string | null> {
  const attributes = await readFile(join(directory, ".gitattributes"), "utf8").catch(() => "");
  if (!/\bfilter=lfs\b/.test(attributes) || isInstalled()) return null;
  return "Some files are kept by Git LFS, which is not installed on this box: only pointers to them were fetched.";
}

function isInstalled(): boolean {
  return Bun.which("git-lfs", { PATH: GIT_PATH }) !== null;
}
