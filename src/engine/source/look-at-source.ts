import { explainGit } from "./explain-git.ts";
import { reach, type Trust } from "./git-credential.ts";
import { listRemote, type Remote } from "./list-remote.ts";
import type { GitSpec } from "./repo-url.ts";
import type { SourceCredential } from "./source.ts";

export interface LookOptions {
  credential: SourceCredential | null;
  trust: Trust;
  signal: AbortSignal;
  deadlineMs: number;
}

/** What the new-app page asks of an address: its branches and tags. Throws what `explainGit` answers. */
export async function lookAtSource(
  spec: GitSpec,
  { credential, trust, signal, deadlineMs }: LookOptions,
): Promise<Remote> {
  const both = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    await using way = await reach(spec.repo_url, credential, trust, both);
    const { env, config, secret } = way;
    return await listRemote(spec.repo_url, { env, config, secret, signal: both });
  } catch (error) {
    throw explainGit(error, spec.repo_url, credential !== null);
  }
}
