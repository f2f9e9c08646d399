import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PermanentError } from "../../errors.ts";
import { isMissingRef } from "./explain-git.ts";
import { GitFailure, type GitOptions, git } from "./git.ts";
import type { CachedRepository } from "./git-cache.ts";
import { COMMIT, isRefName } from "./git-names.ts";
import { listRemote, type Remote } from "./list-remote.ts";
import type { GitSpec } from "./repo-url.ts";

export interface Resolving {
  spec: GitSpec;
  repository: CachedRepository;
  options: GitOptions;
  onLine: (text: string) => void;
}

export interface Resolved {
  commit: string;
  /** Branch or tag that led there. */
  ref: string | null;
}

const FETCH = ["--no-tags", "--force", "--quiet", "--no-write-fetch-head"];

/** The commit that a spec means, afterwards in the cache. Throws `repo_empty`, `branch_not_found`, GitFailure. */
export async function resolveCommit(work: Resolving): Promise<Resolved> {
  const { spec } = work;
  if (spec.commit !== null)
    return { commit: await byCommit(work, spec.commit.toLowerCase()), ref: spec.branch ?? spec.tag };
  if (spec.tag !== null) return byRef(work, `refs/tags/${spec.tag}`, spec.tag);
  if (spec.branch !== null) return byRef(work, `refs/heads/${spec.branch}`, spec.branch);
  return byDefault(work);
}

/**
 * The default branch, with its name. A fetch answers HEAD's commit and not its name; so the name of last time is
 * fetched beside it, and counts while both are the same commit. Otherwise the name is asked for.
 */
async function byDefault(work: Resolving): Promise<Resolved> {
  const { spec, options, repository } = work;
  const file = join(repository.directory, "diplo-default-branch");
  const remembered = await readFile(file, "utf8").catch(() => null);
  if (remembered !== null && isRefName(remembered)) {
    const commits = await fetchTips(work, ["HEAD", `refs/heads/${remembered}`]).catch((error) => {
      if (isMissingRef(error)) return null;
      throw error;
    });
    if (commits !== null && commits[0] === commits[1]) return { commit: commits[0]!, ref: remembered };
  }
  const [resolved, remote] = await Promise.all([
    byRef(work, "HEAD", null),
    listRemote(spec.repo_url, options, ["HEAD"]).catch(() => null),
  ]);
  const name = remote?.default_branch ?? null;
  if (name !== null) await writeFile(file, name);
  return { ...resolved, ref: name };
}

async function byRef(work: Resolving, ref: string, name: string | null): Promise<Resolved> {
  try {
    return { commit: await fetchTip(work, ref), ref: name };
  } catch (error) {
    if (!isMissingRef(error)) throw error;
    return otherwise(work, name);
  }
}

/** `--branch v1.2` may mean a tag, as for `git clone`; if not, the answer says what is there. */
async function otherwise(work: Resolving, name: string | null): Promise<Resolved> {
  const { spec, options } = work;
  const remote = await listRemote(spec.repo_url, options);
  if (remote.branches.length === 0) throw emptyRepository(spec);
  if (name !== null && spec.tag === null && remote.tags.includes(name)) {
    return { commit: await fetchTip(work, `refs/tags/${name}`), ref: name };
  }
  throw missingRef(spec, name ?? "HEAD", remote);
}

async function byCommit(work: Resolving, wanted: string): Promise<string> {
  const isFull = COMMIT.test(wanted);
  const known = isFull ? await commitNamed(work, wanted) : null;
  if (known !== null) return known;
  if (isFull) {
    try {
      return await fetchTip(work, wanted);
    } catch (error) {
      if (!isMissingRef(error)) throw error;
    }
  }
  // An abbreviated id, or a server that gives tips only: all of the history is needed to find it.
  await fetchEverything(work);
  const found = await commitNamed(work, wanted);
  if (found !== null) return found;
  throw missingRef(work.spec, wanted, await listRemote(work.spec.repo_url, work.options));
}

async function fetchTip(work: Resolving, ref: string): Promise<string> {
  return (await fetchTips(work, [ref]))[0]!;
}

/** Fetches commits, without history, under names of ours, on which the next fetch builds. */
async function fetchTips(work: Resolving, refs: string[]): Promise<string[]> {
  const { spec, repository, options } = work;
  const kept = refs.map((ref) => `refs/diplo/${createHash("sha256").update(ref).digest("hex").slice(0, 32)}`);
  work.onLine(`Fetching ${refs[0]!.replace(/^refs\/(heads|tags)\//, "")} of ${spec.repo_url}`);
  const pairs = refs.map((ref, index) => `+${ref}:${kept[index]}`);
  await git(
    ["-C", repository.directory, "fetch", "--depth=1", ...FETCH, "--", spec.repo_url, ...pairs],
    options,
  );
  const names = kept.map((name) => `${name}^{commit}`);
  return (await git(["-C", repository.directory, "rev-parse", ...names], options)).trim().split("\n");
}

async function fetchEverything({ spec, repository, options, onLine }: Resolving): Promise<void> {
  onLine(`Fetching the history of ${spec.repo_url}`);
  const refs = ["+refs/heads/*:refs/diplo-heads/*", "+refs/tags/*:refs/diplo-tags/*"];
  const args = ["fetch", "--depth=2147483647", ...FETCH, "--", spec.repo_url, ...refs];
  await git(["-C", repository.directory, ...args], options);
}

async function commitNamed({ repository, options }: Resolving, name: string): Promise<string | null> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  try {
    return (await git(["-C", repository.directory, ...args], options)).trim();
  } catch (error) {
    if (error instanceof GitFailure && error.exit_code === 1) return null;
    throw error;
  }
}

function emptyRepository({ repo_url }: GitSpec): PermanentError {
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
