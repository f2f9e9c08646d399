import { explainGit } from "./explain-git.ts";
import { gitCredential } from "./git-credential.ts";
import { listRemote, type Remote } from "./list-remote.ts";
import type { GitSpec } from "./repo-url.ts";
import type { SourceCredential } from "./source.ts";

export interface LookOptions {
  credential: SourceCredential | null;
  signal: AbortSignal;
  deadlineMs: number;
}

/** What the new-app page asks of an address: its branches and tags. Throws what `explainGit` answers. */
export async function lookAtSource(
  spec: GitSpec,
  { credential, signal, deadlineMs }: LookOptions,
): Promise<Remote> {
  try {
    return await listRemote(spec.repo_url, {
      ...gitCredential(spec.repo_url, credential),
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    });
  } catch (error) {
    throw explainGit(error, spec.repo_url, credential !== null);
  }
}
