import { type GitOptions, git } from "./git.ts";

/** What a repository offers, without fetching it. */
export interface Remote {
  default_branch: string | null;
  branches: string[];
  tags: string[];
}

/** Asks a repository for its refs (git-ls-remote(1)). Throws GitFailure. */
export async function listRemote(
  repo_url: string,
  options: GitOptions,
  patterns: string[] = [],
): Promise<Remote> {
  const text = await git(["ls-remote", "--symref", "--", repo_url, ...patterns], options);
  const remote: Remote = { default_branch: null, branches: [], tags: [] };
  for (const line of text.split("\n")) {
    const [left = "", name = ""] = line.split("\t");
    if (name === "HEAD" && left.startsWith("ref: refs/heads/"))
      remote.default_branch = left.slice("ref: refs/heads/".length);
    else if (name.startsWith("refs/heads/")) remote.branches.push(name.slice("refs/heads/".length));
    else if (name.startsWith("refs/tags/") && !name.endsWith("^{}"))
      remote.tags.push(name.slice("refs/tags/".length));
  }
  return remote;
}
