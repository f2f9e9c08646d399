import { createHash } from "node:crypto";
import { join } from "node:path";
import { PermanentError } from "../../errors.ts";
import { explainGit, isMissingRef } from "./explain-git.ts";
import { GitFailure, type GitOptions, git } from "./git.ts";
import type { CachedRepository, GitCache } from "./git-cache.ts";
import { gitCredential } from "./git-credential.ts";
import { COMMIT } from "./git-names.ts";
import { listRemote, type Remote } from "./list-remote.ts";
import type { GitSpec } from "./repo-url.ts";
import type { SourceCredential, WorkingTree } from "./source.ts";

export interface GitFetch {
  spec: GitSpec;
  credential: SourceCredential | null;
  cache: GitCache;
  directory: string;
  signal: AbortSignal;
  onLine: (text: string) => void;
}

export type FetchedTree = Pick<WorkingTree, "commit" | "message" | "author" | "ref">;

interface Resolved {
  commit: string;
  ref: string | null;
}

/** Brings one commit of a repository into `directory`, through the cache. Throws what `explainGit` answers. */
export async function fetchGit(fetch: GitFetch): Promise<FetchedTree> {
  const { spec, credential, cache, signal } = fetch;
  const base: GitOptions = { signal, ...gitCredential(spec.repo_url, credential) };
  try {
    return await cache.use(spec.repo_url, base, async (repository) => {
      const options = { ...base, env: { ...base.env, ...repository.env } };
      const resolved = await resolve(fetch, repository, options);
      const [facts] = await Promise.all([
        describe(repository, resolved.commit, options),
        checkout(repository, resolved.commit, fetch.directory, options),
      ]);
      return { ...facts, commit: resolved.commit, ref: resolved.ref };
    });
  } catch (error) {
    throw explainGit(error, spec.repo_url, credential !== null);
  }
}

/** The commit that the spec means, now in the cache. */
async function resolve(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
): Promise<Resolved> {
  const { spec } = fetch;
  if (spec.commit !== null) return resolveCommit(fetch, repository, options);
  if (spec.tag !== null) return fetchRef(fetch, repository, options, `refs/tags/${spec.tag}`, spec.tag);
  if (spec.branch !== null)
    return fetchRef(fetch, repository, options, `refs/heads/${spec.branch}`, spec.branch);
  // The name of the default branch is asked for beside the fetch, so that it costs no round trip.
  const [resolved, remote] = await Promise.all([
    fetchRef(fetch, repository, options, "HEAD", null),
    listRemote(spec.repo_url, options, ["HEAD"]).catch(() => null),
  ]);
  return { ...resolved, ref: remote?.default_branch ?? null };
}

async function fetchRef(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
  ref: string,
  name: string | null,
): Promise<Resolved> {
  try {
    return { commit: await fetchInto(fetch, repository, options, ref), ref: name };
  } catch (error) {
    if (!isMissingRef(error)) throw error;
    return otherRef(fetch, repository, options, name);
  }
}

/** `--branch v1.2` may mean a tag, as for `git clone`; otherwise says what is there. */
async function otherRef(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
  name: string | null,
): Promise<Resolved> {
  const { spec } = fetch;
  const remote = await listRemote(spec.repo_url, options);
  if (remote.branches.length === 0) throw emptyRepository(spec.repo_url);
  if (name !== null && spec.tag === null && remote.tags.includes(name)) {
    return { commit: await fetchInto(fetch, repository, options, `refs/tags/${name}`), ref: name };
  }
  throw missingRef(spec, name ?? "HEAD", remote);
}

async function resolveCommit(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
): Promise<Resolved> {
  const { spec } = fetch;
  const wanted = spec.commit!.toLowerCase();
  const ref = spec.branch ?? spec.tag;
  const known = COMMIT.test(wanted) ? await objectName(repository, `${wanted}^{commit}`, options) : null;
  if (known !== null) return { commit: known, ref };
  if (COMMIT.test(wanted)) {
    try {
      return { commit: await fetchInto(fetch, repository, options, wanted), ref };
    } catch (error) {
      if (!isMissingRef(error)) throw error;
    }
  }
  // An abbreviated id, or a server that gives tips only: all of the history is needed to find it.
  await fetchEverything(fetch, repository, options);
  const found = await objectName(repository, `${wanted}^{commit}`, options);
  if (found !== null) return { commit: found, ref };
  throw missingRef(spec, wanted, await listRemote(spec.repo_url, options));
}

/** Fetches one ref, shallow, keeps it under a name of ours (the next fetch builds on it); answers the commit. */
async function fetchInto(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
  ref: string,
): Promise<string> {
  const kept = `refs/diplo/${createHash("sha256").update(ref).digest("hex").slice(0, 32)}`;
  fetch.onLine(`Fetching ${ref.replace(/^refs\/(heads|tags)\//, "")} of ${fetch.spec.repo_url}`);
  await git(
    [
      "-C",
      repository.directory,
      "fetch",
      "--depth=1",
      "--no-tags",
      "--force",
      "--quiet",
      "--no-write-fetch-head",
      "--",
      fetch.spec.repo_url,
      `+${ref}:${kept}`,
    ],
    options,
  );
  const commit = await objectName(repository, `${kept}^{commit}`, options);
  if (commit === null) throw missingRef(fetch.spec, ref, await listRemote(fetch.spec.repo_url, options));
  return commit;
}

async function fetchEverything(
  fetch: GitFetch,
  repository: CachedRepository,
  options: GitOptions,
): Promise<void> {
  fetch.onLine(`Fetching the history of ${fetch.spec.repo_url}`);
  await git(
    [
      "-C",
      repository.directory,
      "fetch",
      "--depth=2147483647",
      "--no-tags",
      "--force",
      "--quiet",
      "--no-write-fetch-head",
      "--",
      fetch.spec.repo_url,
      "+refs/heads/*:refs/diplo-heads/*",
      "+refs/tags/*:refs/diplo-tags/*",
    ],
    options,
  );
}

async function objectName(
  repository: CachedRepository,
  name: string,
  options: GitOptions,
): Promise<string | null> {
  try {
    return (
      await git(
        ["-C", repository.directory, "rev-parse", "--verify", "--quiet", "--end-of-options", name],
        options,
      )
    ).trim();
  } catch (error) {
    if (error instanceof GitFailure && error.exit_code === 1) return null;
    throw error;
  }
}

/** One process writes the whole tree; the index is the attempt's own, so checkouts do not meet. */
async function checkout(
  repository: CachedRepository,
  commit: string,
  directory: string,
  options: GitOptions,
): Promise<void> {
  const index = join(
    repository.directory,
    `index-${createHash("sha256").update(directory).digest("hex").slice(0, 16)}`,
  );
  const env = { ...options.env, GIT_INDEX_FILE: index };
  await Bun.file(index)
    .delete()
    .catch(() => undefined);
  await git(
    [
      `--git-dir=${repository.directory}`,
      `--work-tree=${directory}`,
      "-c",
      "core.bare=false",
      "read-tree",
      "--reset",
      "-u",
      commit,
    ],
    { ...options, env },
  );
  await Bun.file(index)
    .delete()
    .catch(() => undefined);
}

async function describe(repository: CachedRepository, commit: string, options: GitOptions) {
  const text = await git(
    ["-C", repository.directory, "show", "--no-patch", "--no-show-signature", "--format=%an%x00%s", commit],
    options,
  );
  const [author = "", message = ""] = text.trimEnd().split("\0");
  return { author: author || null, message: message || null };
}

function emptyRepository(repo_url: string): PermanentError {
  return new PermanentError("repo_empty", `${repo_url} has no commit`, {
    detail: "The repository is empty: it has no commit yet.",
    hint: "Push a commit to it and deploy again.",
  });
}

function missingRef(spec: GitSpec, name: string, remote: Remote): PermanentError {
  const what = spec.commit !== null ? "commit" : spec.tag !== null ? "tag" : "branch";
  const names = (spec.tag !== null ? remote.tags : remote.branches).slice(0, 15);
  return new PermanentError("branch_not_found", `${spec.repo_url} has no ${what} ${name}`, {
    detail: `The repository has no ${what} "${name}".`,
    hint: names.length === 0 ? undefined : `It has: ${names.join(", ")}.`,
  });
}
