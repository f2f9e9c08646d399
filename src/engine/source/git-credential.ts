import type { GitOptions } from "./git.ts";
import type { SourceCredential } from "./source.ts";
import { startSshAgent } from "./ssh-agent.ts";

/** Constant: the values come from the environment, which only this user and root can read. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$DIPLO_GIT_USERNAME" "$DIPLO_GIT_PASSWORD"; }; f';

/**
 * Gives git a credential without argv, URL or file: a helper that git asks only for this scheme and host, so that
 * neither a redirect nor a submodule elsewhere gets it.
 */
function gitCredential(
  repo_url: string,
  credential: SourceCredential | null,
): Pick<GitOptions, "env" | "config"> {
  if (credential === null || credential.kind === "deploy_key" || !/^https?:/.test(repo_url)) return {};
  const { protocol, host } = new URL(repo_url);
  const { username, password } = pairOf(credential, host);
  if (/[\0\r\n]/.test(username + password))
    throw new Error("a git credential cannot hold NUL or a line break");
  return {
    env: { DIPLO_GIT_USERNAME: username, DIPLO_GIT_PASSWORD: password },
    config: [[`credential.${protocol}//${host}.helper`, HELPER]],
  };
}

/** Everything git needs to reach an address, for as long as the answer is not disposed. */
export async function reach(
  repo_url: string,
  credential: SourceCredential | null,
  known_hosts: string,
  signal: AbortSignal,
): Promise<AsyncDisposable & Pick<GitOptions, "env" | "config">> {
  if (!repo_url.startsWith("ssh:")) {
    return { ...gitCredential(repo_url, credential), [Symbol.asyncDispose]: async () => undefined };
  }
  return startSshAgent(
    credential?.kind === "deploy_key" ? credential.private_key : null,
    known_hosts,
    signal,
  );
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
