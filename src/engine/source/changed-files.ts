import { explainGit } from "./explain-git.ts";
import { git } from "./git.ts";
import type { GitCache } from "./git-cache.ts";
import { reach } from "./git-credential.ts";
import type { GitSpec } from "./repo-url.ts";
import { resolveCommit } from "./resolve-commit.ts";
import type { SourceCredential } from "./source.ts";

export interface ChangedFilesOptions {
  credential: SourceCredential | null;
  cache: GitCache;
  signal: AbortSignal;
  deadlineMs: number;
}

export interface ChangedFiles {
  /** What the spec means now. */
  commit: string;
  /** Paths from the repository's root that differ from `since`; null when the repository has that commit no more. */
  files: string[] | null;
}

/** What is different in a repository since a commit, through the cache. Throws what `explainGit` answers. */
export async function changedFiles(
  spec: GitSpec,
  since: string,
  { credential, cache, signal, deadlineMs }: ChangedFilesOptions,
): Promise<ChangedFiles> {
  const both = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    await using way = await reach(spec.repo_url, credential, cache, both);
    const base = { signal: both, env: way.env, config: way.config, secret: way.secret };
    return await cache.use(spec.repo_url, base, async (repository) => {
      const options = { ...base, env: { ...base.env, ...repository.env } };
      const resolve = (wanted: GitSpec) =>
        resolveCommit({ spec: wanted, repository, options, onLine: () => undefined });
      const { commit } = await resolve(spec);
      if (commit === since) return { commit, files: [] };
      const before = await resolve({ ...spec, commit: since }).catch((error) => {
        // Rewritten history: the old commit may be gone for good.
        if (error.code === "branch_not_found") return null;
        throw error;
      });
      if (before === null) return { commit, files: null };
      const args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", since, commit, "--"];
      const names = await git(["-C", repository.directory, ...args], options);
      return { commit, files: names.split("\0").filter(Boolean) };
    });
  } catch (error) {
    throw explainGit(error, spec.repo_url, credential !== null);
  }
}
