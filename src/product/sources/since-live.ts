import { type ChangedFiles, changedFiles } from "../../engine/source/changed-files.ts";
import type { GitCache } from "../../engine/source/git-cache.ts";
import { filesThatCount, type PathFilter } from "../../engine/source/path-filter.ts";
import { type GitSpec, sameSource } from "../../engine/source/repo-url.ts";
import type { SourceSpec } from "../../engine/source/source.ts";
import { invalid } from "../../errors.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { Environment } from "../environments/environments.ts";
import type { Releases } from "../releases/releases.ts";
import type { Credentials } from "./credentials.ts";
import { explainAccess } from "./explain-access.ts";

export interface SinceLiveParts {
  store: Store;
  vault: Vault;
  gitCache: GitCache;
  releases: Releases;
  credentials: Credentials;
}

/** Why a deployment that asks for changes has nothing to do; null = it has. */
export interface NothingToDeploy {
  reason: string;
  commit: string;
  release: number;
}

const DEADLINE_MS = 5 * 60_000;

/**
 * Compares a source with the commit that serves, by the environment's watch_paths and ignore_paths. What cannot be
 * compared (nothing live, another source, history rewritten) is worth a deployment.
 */
export async function nothingSinceLive(
  parts: SinceLiveParts,
  environment: Environment,
  source: SourceSpec,
  signal: AbortSignal,
): Promise<NothingToDeploy | null> {
  if (source.kind !== "git") return null;
  const live = liveSource(parts, environment);
  if (live === null || !sameSource(live.spec, source)) return null;
  const { commit, files } = await look(parts, environment, source, live.commit, signal);
  if (files === null) return null;
  const short = commit.slice(0, 8);
  if (files.length === 0)
    return { reason: `v${live.release} is ${short} already`, commit, release: live.release };
  const counting = filesThatCount(files, pathFilterOf(environment, source));
  if (counting.length > 0) return null;
  const changed = files.length === 1 ? "one file" : `${files.length} files`;
  return {
    reason: `${short} changed ${changed} since v${live.release}, none that watch_paths and ignore_paths let count`,
    commit,
    release: live.release,
  };
}

/** Throws `invalid` for a source without commits. */
export function checkComparable(source: SourceSpec): void {
  if (source.kind !== "git")
    throw invalid("if_changed", "is for a git repository, which has commits to compare");
}

/** An app of a subdirectory is about that, unless it says what else. */
export function pathFilterOf({ settings }: Environment, { subdirectory }: GitSpec): PathFilter {
  const { watch_paths, ignore_paths, path_filter } = settings;
  const own = subdirectory === "" ? [] : [`${subdirectory}/`];
  return { watch_paths: watch_paths.length > 0 ? watch_paths : own, ignore_paths, path_filter };
}

async function look(
  { vault, credentials, gitCache: cache }: SinceLiveParts,
  { app_id }: Environment,
  source: GitSpec,
  since: string,
  signal: AbortSignal,
): Promise<ChangedFiles> {
  await vault.ready();
  const credential = credentials.open(app_id, source);
  try {
    return await changedFiles(source, since, { credential, cache, signal, deadlineMs: DEADLINE_MS });
  } catch (error) {
    throw explainAccess(error, source.repo_url, credentials.deployKey(app_id));
  }
}

function liveSource({ releases, store }: SinceLiveParts, environment: Environment) {
  const current = releases.current(environment.id);
  const row = store.get<{ spec: string; commit_sha: string | null }>(
    `select s.spec, s.commit_sha from releases r join builds b on b.id = r.build_id
     join sources s on s.id = b.source_id where r.id = $id`,
    { id: current?.id ?? "" },
  );
  if (current === null || row?.commit_sha == null) return null;
  return { spec: JSON.parse(row.spec) as SourceSpec, commit: row.commit_sha, release: current.number };
}
