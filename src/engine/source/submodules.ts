import { lstat, realpath } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { DiploError, PermanentError } from "../../errors.ts";
import { type GitOptions, git } from "./git.ts";
import { checkSubdirectory } from "./git-names.ts";
import { parseRepoUrl } from "./repo-url.ts";

export interface Submodule {
  /** Inside the repository. */
  path: string;
  repo_url: string;
  commit: string;
}

const MAX_SUBMODULES = 100;

/**
 * The submodules of a commit that was checked out (gitmodules(5)). Throws PermanentError `submodule_refused` for an
 * address or path that must not be followed.
 */
export async function listSubmodules(
  git_directory: string,
  commit: string,
  tree: string,
  parent_url: string,
  options: GitOptions,
): Promise<Submodule[]> {
  const file = join(tree, ".gitmodules");
  if (!(await lstat(file).catch(() => null))?.isFile()) return [];
  const [settings, links] = await Promise.all([
    git(["config", "--no-includes", "--null", "--file", file, "--list"], options),
    git(["-C", git_directory, "ls-tree", "-r", "-z", "--full-tree", commit], options),
  ]);
  const commits = gitlinks(links);
  const found = [...sections(settings).entries()].filter(
    ([, { path }]) => path !== undefined && commits.has(path),
  );
  if (found.length > MAX_SUBMODULES) throw refused("", `there are more than ${MAX_SUBMODULES}`);
  return Promise.all(
    found.map(async ([name, { path = "", url = "" }]) => ({
      path: await placeOf(tree, name, path),
      repo_url: addressOf(name, url, parent_url),
      commit: commits.get(path)!,
    })),
  );
}

/** `submodule.<name>.<key>\n<value>\0`, as `git config --null --list` prints it. */
function sections(text: string): Map<string, { path?: string; url?: string }> {
  const modules = new Map<string, { path?: string; url?: string }>();
  for (const item of text.split("\0")) {
    const match = /^submodule\.([\s\S]+)\.(path|url)\n([\s\S]*)$/.exec(item);
    if (match === null) continue;
    modules.set(match[1]!, { ...modules.get(match[1]!), [match[2]!]: match[3]! });
  }
  return modules;
}

/** Path → commit of the entries that are links to other repositories (mode 160000). */
function gitlinks(listing: string): Map<string, string> {
  const commits = new Map<string, string>();
  for (const item of listing.split("\0")) {
    const match = /^160000 commit ([0-9a-f]+)\t([\s\S]+)$/.exec(item);
    if (match !== null) commits.set(match[2]!, match[1]!);
  }
  return commits;
}

async function placeOf(tree: string, name: string, path: string): Promise<string> {
  try {
    const inside = checkSubdirectory(path);
    const root = await realpath(tree);
    if (inside !== "" && (await realpath(join(tree, inside))) === `${root}${sep}${inside}`) return inside;
  } catch {
    // Said below.
  }
  throw refused(name, "its path leads out of the repository");
}

/** A repository from elsewhere must not reach what only this machine can: local paths, plain http. */
function addressOf(name: string, url: string, parent_url: string): string {
  const absolute = /^\.\.?(\/|$)/.test(url) ? relativeTo(parent_url, url) : url;
  try {
    const { repo_url } = parseRepoUrl(absolute).spec;
    const isRemote = /^(https|ssh|git):/.test(repo_url);
    if (isRemote || protocolOf(repo_url) === protocolOf(parent_url)) return repo_url;
  } catch (error) {
    throw refused(name, error instanceof DiploError ? error.message : "its address is no address");
  }
  throw refused(name, "its address is of this machine or unencrypted");
}

function protocolOf(repo_url: string): string {
  return repo_url.startsWith("/") ? "file:" : new URL(repo_url).protocol;
}

function relativeTo(parent_url: string, url: string): string {
  if (parent_url.startsWith("/")) return posix.join(parent_url, url);
  const parent = new URL(parent_url);
  parent.pathname = posix.join(parent.pathname, url);
  return parent.href;
}

function refused(name: string, reason: string): PermanentError {
  const which = name === "" ? "The submodules" : `The submodule ${JSON.stringify(name.slice(0, 100))}`;
  return new PermanentError("submodule_refused", `submodule refused: ${reason}`, {
    detail: `${which} cannot be fetched: ${reason}.`,
    hint: "Correct .gitmodules: addresses are https://, ssh:// or relative to the repository.",
  });
}
