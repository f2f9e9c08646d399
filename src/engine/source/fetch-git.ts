import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PermanentError } from "../../errors.ts";
import { explainGit } from "./explain-git.ts";
import { type GitOptions, git } from "./git.ts";
import type { CachedRepository, GitCache } from "./git-cache.ts";
import { reach } from "./git-credential.ts";
import { largeFileSettings, missingLargeFiles } from "./large-files.ts";
import { type GitSpec, originOf } from "./repo-url.ts";
import { resolveCommit } from "./resolve-commit.ts";
import type { SourceCredential, WorkingTree } from "./source.ts";
import { listSubmodules, type Submodule } from "./submodules.ts";

export interface GitFetch {
  spec: GitSpec;
  credential: SourceCredential | null;
  cache: GitCache;
  /** Empty. */
  directory: string;
  signal: AbortSignal;
  onLine: (text: string) => void;
}

export type FetchedTree = Pick<WorkingTree, "commit" | "message" | "author" | "ref">;

const MAX_DEPTH = 5;

/**
 * Brings one commit of a repository into `directory`, through the cache, and its submodules after it. Throws what
 * `explainGit` answers, or `submodule_refused`.
 */
export async function fetchGit(fetch: GitFetch, depth = 0): Promise<FetchedTree> {
  const { spec, credential, cache, signal } = fetch;
  try {
    await using way = await reach(spec.repo_url, credential, cache, signal);
    const base: GitOptions = { signal, env: way.env, config: way.config, secret: way.secret };
    const bringIt = (repository: CachedRepository) => bring(fetch, repository, base);
    const { submodules, ...tree } = await cache.use(spec.repo_url, base, bringIt);
    if (submodules.length > 0 && depth >= MAX_DEPTH) throw tooDeep(spec);
    for (const submodule of submodules) await fetchSubmodule(fetch, submodule, depth);
    return tree;
  } catch (error) {
    throw explainGit(error, spec.repo_url, credential !== null);
  }
}

async function bring(
  fetch: GitFetch,
  repository: CachedRepository,
  base: GitOptions,
): Promise<FetchedTree & { submodules: Submodule[] }> {
  const { spec, directory, onLine } = fetch;
  const options = { ...base, env: { ...base.env, ...repository.env } };
  const { commit, ref } = await resolveCommit({ spec, repository, options, onLine });
  const [facts] = await Promise.all([
    describe(repository, commit, options),
    checkout({ repository, commit, directory, repo_url: spec.repo_url, options }),
  ]);
  const missing = await missingLargeFiles(directory);
  if (missing !== null) onLine(missing);
  const submodules = await listSubmodules(repository.directory, commit, directory, spec.repo_url, options);
  return { ...facts, commit, ref, submodules };
}

/** One process writes the whole tree; the index is the attempt's own, as git's would be the cache's. */
async function checkout({ repository, commit, directory, repo_url, options }: Checkout): Promise<void> {
  const name = createHash("sha256").update(directory).digest("hex").slice(0, 16);
  const index = join(repository.directory, `index-${name}`);
  const config: [string, string][] = [
    ...(options.config ?? []),
    ["core.bare", "false"],
    ...largeFileSettings(repo_url),
  ];
  // A killed attempt of the same name may have left both.
  await Promise.all([index, `${index}.lock`].map((path) => rm(path, { force: true })));
  await git(
    [`--git-dir=${repository.directory}`, `--work-tree=${directory}`, "read-tree", "--reset", "-u", commit],
    { ...options, config, env: { ...options.env, GIT_INDEX_FILE: index } },
  );
  await rm(index, { force: true });
}

interface Checkout {
  repository: CachedRepository;
  commit: string;
  directory: string;
  repo_url: string;
  options: GitOptions;
}

async function describe(repository: CachedRepository, commit: string, options: GitOptions) {
  const args = ["show", "--no-patch", "--no-show-signature", "--format=%an%x00%s", commit];
  const text = await git(["-C", repository.directory, ...args], options);
  const [author = "", message = ""] = text.trimEnd().split("\0");
  return { author: author || null, message: message || null };
}

/** The credential goes along to the same host only. */
async function fetchSubmodule(parent: GitFetch, submodule: Submodule, depth: number): Promise<void> {
  const { path, repo_url, commit } = submodule;
  const origin = originOf(repo_url);
  const isSameHost = origin !== null && origin === originOf(parent.spec.repo_url);
  const fetch: GitFetch = {
    ...parent,
    spec: { kind: "git", repo_url, commit, branch: null, tag: null, subdirectory: "" },
    credential: isSameHost ? parent.credential : null,
    directory: join(parent.directory, path),
  };
  await fetchGit(fetch, depth + 1);
}

function tooDeep({ repo_url }: GitSpec): PermanentError {
  return new PermanentError("submodule_refused", `submodules of ${repo_url} are nested too deep`, {
    detail: `Submodules are nested more than ${MAX_DEPTH} deep.`,
  });
}
