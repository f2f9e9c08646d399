import type { GitOptions } from "./git.ts";
import type { SourceCredential } from "./source.ts";
import { startSshAgent } from "./ssh-agent.ts";

/** Constant: user name and password come as lines on descriptor 3, which only git and its helpers inherit. */
const HELPER = [
  '!f() { test "$1" = get && IFS= read -r username <&3 && IFS= read -r password <&3',
  '&& printf "username=%s\\npassword=%s\\n" "$username" "$password"; }; f',
].join(" ");

/** Files that every way to a repository goes by. `GitCache` has them. */
export interface Trust {
  /** Keys of ssh hosts, pinned at first sight. */
  knownHosts: string;
  /** Certificates to believe instead of the machine's own. */
  caFile?: string | undefined;
}

type Way = AsyncDisposable & Pick<GitOptions, "env" | "config" | "secret">;

/** Everything git needs to reach an address, for as long as the answer is not disposed. */
export async function reach(
  repo_url: string,
  credential: SourceCredential | null,
  trust: Trust,
  signal: AbortSignal,
): Promise<Way> {
  if (!repo_url.startsWith("ssh:")) return overHttp(repo_url, credential, trust);
  return startSshAgent(
    credential?.kind === "deploy_key" ? credential.private_key : null,
    trust.knownHosts,
    signal,
  );
}

/**
 * Gives git a credential without argv, URL, environment or file: a helper that git asks only for this scheme and
 * host, so that neither a redirect nor a submodule elsewhere gets it.
 */
function overHttp(repo_url: string, credential: SourceCredential | null, { caFile }: Trust): Way {
  const nothing = async () => undefined;
  if (!/^https?:/.test(repo_url)) return { [Symbol.asyncDispose]: nothing };
  const trusted = {
    // git-lfs is Go: it reads the variable.
    env: (caFile === undefined ? {} : { SSL_CERT_FILE: caFile }) as Record<string, string>,
    config: (caFile === undefined ? [] : [["http.sslCAInfo", caFile]]) as [string, string][],
    [Symbol.asyncDispose]: nothing,
  };
  if (credential === null || credential.kind === "deploy_key") return trusted;
  const { protocol, host } = new URL(repo_url);
  const { username, password } = pairOf(credential, host);
  if (/[\0\r\n]/.test(username + password))
    throw new Error("a git credential cannot hold NUL or a line break");
  return {
    ...trusted,
    config: [...trusted.config, [`credential.${protocol}//${host}.helper`, HELPER]],
    secret: `${username}\n${password}\n`,
  };
}

/** The user names that forges want beside a token. */
function pairOf(credential: Exclude<SourceCredential, { kind: "deploy_key" }>, host: string) {
  if (credential.kind === "password") return credential;
  const username = /(^|\.)github\./.test(host)
    ? "x-access-token"
    : /bitbucket/.test(host)
      ? "x-token-auth"
      : "oauth2";
  return { username, password: credential.token };
}
