import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Config, paths } from "../../config.ts";
import { openDirectoryTree } from "../../engine/build/directory-tree.ts";
import { fetchSource } from "../../engine/source/fetch-source.ts";
import type { GitCache } from "../../engine/source/git-cache.ts";
import { knownHostOf, readKnownHosts } from "../../engine/source/known-hosts.ts";
import { lookAtSource } from "../../engine/source/look-at-source.ts";
import { parseRepoUrl } from "../../engine/source/repo-url.ts";
import type { Vault } from "../../security/vault/vault.ts";
import { suggestName } from "../apps/app-name.ts";
import type { Environments } from "../environments/environments.ts";
import { type CredentialInput, credentialFrom } from "./credential-input.ts";
import type { Credentials } from "./credentials.ts";
import { detect } from "./detect.ts";
import { explainAccess } from "./explain-access.ts";

export interface LookInput {
  repo_url: string;
  branch?: string;
  tag?: string;
  commit?: string;
  subdirectory?: string;
  /** Whose key or kept secret opens it. */
  app?: string;
  github_token?: string;
  credential?: CredentialInput;
}

export interface LookParts {
  settings: Config;
  gitCache: GitCache;
  environments: Environments;
  credentials: Credentials;
  vault: Vault;
}

const DEADLINE_MS = 60_000;

/** Fetches a repository (into the same cache a deployment uses), plans it and throws the tree away again. */
export async function lookAtRepository(input: LookInput, signal: AbortSignal, parts: LookParts) {
  const { settings, gitCache: cache, environments, credentials, vault } = parts;
  const { spec, credential: inUrl } = parseRepoUrl(input.repo_url);
  const wanted = {
    ...spec,
    branch: input.branch || spec.branch,
    tag: input.tag || spec.tag,
    commit: input.commit || spec.commit,
    subdirectory: input.subdirectory || spec.subdirectory,
  };
  const appId = input.app === undefined ? null : environments.find(input.app).app_id;
  await vault.ready();
  const kept = appId === null ? null : credentials.open(appId, wanted);
  const credential = credentialFrom(input) ?? inUrl ?? kept;
  const directory = await mkdtemp(join(paths.work(settings.data), "look-"));
  try {
    const [remote, tree] = await Promise.all([
      lookAtSource(wanted, { credential, trust: cache, signal, deadlineMs: DEADLINE_MS }),
      fetchSource(wanted, {
        directory: join(directory, "tree"),
        cache,
        credential,
        uploads: paths.uploads(settings.data),
        signal,
        deadlineMs: DEADLINE_MS,
        onLine: () => {},
      }),
    ]);
    const detected = await detect(await openDirectoryTree(tree.root, wanted.subdirectory));
    return {
      ...detected,
      repo_url: wanted.repo_url,
      suggested_name: suggestName(wanted.repo_url),
      branch: tree.ref ?? remote.default_branch,
      branches: remote.branches,
      commit: tree.commit,
      findings: [...detected.findings, ...(await hostKey(cache, wanted.repo_url))],
    };
  } catch (error) {
    throw explainAccess(error, wanted.repo_url, appId === null ? null : credentials.deployKey(appId));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The key that was pinned, for the person to compare with what the host's owner says. */
async function hostKey({ knownHosts }: GitCache, repo_url: string) {
  const host = knownHostOf(repo_url);
  const pinned = (await readKnownHosts(knownHosts)).filter((known) => known.host === host);
  return pinned.map(({ fingerprint }) => ({
    label: "Host key",
    value: fingerprint,
    from: `${host}, pinned at first sight`,
  }));
}
