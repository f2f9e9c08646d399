import { mkdir, realpath, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { PermanentError } from "../../errors.ts";
import { fetchGit } from "./fetch-git.ts";
import type { GitCache } from "./git-cache.ts";
import { checkCommit, checkRefName, checkSubdirectory } from "./git-names.ts";
import { type GitSpec, parseRepoUrl } from "./repo-url.ts";
import type { SourceCredential, TreeSource, WorkingTree } from "./source.ts";
import { unpackUpload } from "./unpack-upload.ts";

export interface FetchOptions {
  /** Made anew: whatever an earlier try left there is removed first. */
  directory: string;
  cache: GitCache;
  credential: SourceCredential | null;
  /** Directory of received archives. */
  uploads: string;
  signal: AbortSignal;
  /** How long all of it may take. */
  deadlineMs: number;
  onLine: (text: string) => void;
}

/**
 * Brings an app's source into `directory`. Throws PermanentError `repo_not_found`, `auth_failed`,
 * `branch_not_found`, `repo_empty`, `invalid`; DiploError `disk_full`; a plain Error for trouble on the network.
 */
export async function fetchSource(spec: TreeSource, options: FetchOptions): Promise<WorkingTree> {
  const { directory, deadlineMs } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(deadlineMs)]);
  const subdirectory = checkSource(spec);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const fetched =
    spec.kind === "git"
      ? { ...(await fetchGit({ ...options, spec, signal })), archive_sha256: null }
      : { ...NO_COMMIT, ...(await unpackUpload(spec.upload_id, { ...options, signal })) };
  if (fetched.commit !== null)
    options.onLine(`At commit ${fetched.commit.slice(0, 8)}: ${fetched.message ?? ""}`);
  return { root: await realpath(directory), directory: await enter(directory, subdirectory), ...fetched };
}

const NO_COMMIT = { commit: null, message: null, author: null, ref: null };

/** Throws `invalid` for an address, a name or a directory that git must not be given; answers the directory. */
export function checkSource(spec: TreeSource): string {
  if (spec.kind === "git") checkGit(spec);
  return checkSubdirectory(spec.subdirectory);
}

function checkGit(spec: GitSpec): void {
  parseRepoUrl(spec.repo_url);
  if (spec.branch !== null) checkRefName("branch", spec.branch);
  if (spec.tag !== null) checkRefName("tag", spec.tag);
  if (spec.commit !== null) checkCommit(spec.commit);
}

/** The app's directory; a link must not lead out of the repository. */
async function enter(directory: string, subdirectory: string): Promise<string> {
  const root = await realpath(directory);
  const path = await realpath(join(root, subdirectory)).catch(() => null);
  const inside = path !== null && (path === root || path.startsWith(root + sep));
  if (!inside || !(await stat(path)).isDirectory()) {
    throw new PermanentError("subdirectory_not_found", `no directory ${subdirectory}`, {
      detail: `The repository has no directory "${subdirectory}".`,
      hint: "Check the app's subdirectory and the branch.",
    });
  }
  return path;
}
