import { Type as t } from "@sinclair/typebox";
import { deployKeyPage } from "../../engine/source/deploy-key-page.ts";
import { forgetKnownHost, knownHostOf, readKnownHosts } from "../../engine/source/known-hosts.ts";
import { originOf, parseRepoUrl } from "../../engine/source/repo-url.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import { operation, Reply } from "../../operation.ts";
import type { Environment } from "../environments/environments.ts";
import type { Parts } from "../parts.ts";
import { AppRef, Time } from "../schema.ts";
import { CredentialFields, CredentialInput, credentialFrom } from "./credential-input.ts";
import type { DeployKeyBody } from "./credentials.ts";
import { Detected } from "./detect.ts";
import { lookAtRepository } from "./look-at-repository.ts";

export const look = operation({
  verb: "sources:look",
  method: "POST",
  path: "/sources/look",
  summary: "What a repository holds and how it would be built, before deploying it",
  input: t.Object({
    repo_url: t.String({ minLength: 1, maxLength: 2048 }),
    branch: t.Optional(t.String()),
    tag: t.Optional(t.String()),
    commit: t.Optional(t.String()),
    subdirectory: t.Optional(t.String({ description: "Where the app lies in the repository" })),
    app: t.Optional(t.String({ description: "Reach it with this app's deploy key or kept secret" })),
    github_token: t.Optional(
      t.String({ writeOnly: true, description: "A token that may read the repository" }),
    ),
    credential: t.Optional(CredentialInput),
  }),
  output: t.Composite([
    t.Object({
      repo_url: t.String(),
      suggested_name: t.String(),
      branch: t.Union([t.String(), t.Null()]),
      branches: t.Array(t.String()),
      commit: t.Union([t.String(), t.Null()]),
    }),
    Detected,
  ]),
  permission: "deploy",
  private: ["github_token", "credential"],
  args: ["repo_url"],
  run: ({ input, signal }, parts) => lookAtRepository(input, signal, parts),
});

const SshHost = t.Object({
  host: t.String({ description: "As in git.example.org, or [git.example.org]:2222" }),
  key_type: t.String(),
  fingerprint: t.String(),
});

const DeployKey = t.Object({
  public_key: t.String({ description: "One line, for the host's page of deploy keys" }),
  fingerprint: t.String(),
  created_at: Time,
  /** The host's page for it; null where we do not know it, or there is no ssh source yet. */
  add_at: t.Union([t.String(), t.Null()]),
  /** Pinned keys of the source's host: whom the key is shown to. */
  ssh_hosts: t.Array(SshHost),
});

export const deployKey = operation({
  verb: "deploy-key",
  method: "GET",
  path: "/apps/:app/deploy-key",
  summary: "The public key that opens an app's repository over ssh",
  input: t.Object({ app: AppRef }),
  output: DeployKey,
  permission: "apps:read",
  args: ["app"],
  run: async ({ input }, parts) => {
    const environment = parts.environments.find(input.app);
    const key = parts.credentials.deployKey(environment.app_id);
    if (!key)
      throw notFound(
        "deploy_key",
        environment.app,
        `Make one: diplo deploy-key:create -a ${environment.app}`,
      );
    return keyBody(parts, environment, key);
  },
});

export const createDeployKey = operation({
  verb: "deploy-key:create",
  method: "POST",
  path: "/apps/:app/deploy-key",
  summary: "Make an app's Ed25519 key; the private half stays sealed on the box",
  input: t.Object({
    app: AppRef,
    replace: t.Optional(t.Boolean({ description: "Another one; the old key opens nothing any more" })),
  }),
  output: DeployKey,
  permission: "deploy",
  audit: "deploy_key.created",
  args: ["app"],
  run: async ({ input }, parts) => {
    const environment = parts.environments.find(input.app);
    const { credentials } = parts;
    await parts.vault.ready();
    const had = credentials.deployKey(environment.app_id) !== null;
    const make = input.replace ? "replaceDeployKey" : "ensureDeployKey";
    const key = credentials[make](environment.app_id, `diplo-${environment.app}`);
    return new Reply(had && !input.replace ? 200 : 201, await keyBody(parts, environment, key));
  },
});

export const removeDeployKey = operation({
  verb: "deploy-key:remove",
  method: "DELETE",
  path: "/apps/:app/deploy-key",
  summary: "Forget an app's key; a next deployment over ssh makes another",
  input: t.Object({ app: AppRef }),
  output: t.Object({ removed: t.Boolean() }),
  permission: "apps:write",
  audit: "deploy_key.removed",
  args: ["app"],
  run: ({ input }, { environments, credentials }) => ({
    removed: credentials.removeDeployKey(environments.find(input.app).app_id),
  }),
});

const Credential = t.Object({
  kind: t.Union([t.Literal("token"), t.Literal("password")]),
  origin: t.String({ description: "The only host it is told, as in https://git.example.org" }),
  username: t.Union([t.String(), t.Null()]),
  created_at: Time,
});

export const listCredentials = operation({
  verb: "credentials",
  method: "GET",
  path: "/apps/:app/credentials",
  summary: "For which hosts an app keeps a token or a password; never the secret itself",
  input: t.Object({ app: AppRef }),
  output: t.Array(Credential),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { environments, credentials }) => credentials.list(environments.find(input.app).app_id),
});

export const setCredential = operation({
  verb: "credentials:set",
  method: "PUT",
  path: "/apps/:app/credentials",
  summary: "Keep a token, or user name and password, for an app's repository; later deployments use it",
  input: t.Object({
    app: AppRef,
    repo_url: t.Optional(
      t.String({ maxLength: 2048, description: "For which host; default: the app's source" }),
    ),
    ...CredentialFields,
  }),
  output: t.Array(Credential),
  permission: "deploy",
  audit: "credential.set",
  private: ["github_token", "password"],
  args: ["app"],
  example: "diplo credentials:set -a blog --github-token @token.txt",
  run: async ({ input: { app, repo_url, ...given } }, parts) => {
    const environment = parts.environments.find(app);
    const credential = credentialFrom({ credential: given });
    if (!credential)
      throw invalid("github_token", "is missing", "Give a token, or a user name and its password.");
    const source = repo_url === undefined ? environment.source : parseRepoUrl(repo_url).spec;
    if (source?.kind !== "git" || !/^https?:/.test(source.repo_url))
      throw conflict(
        "no_https_source",
        `${environment.app} has no source at https:// to keep it for`,
        "Say for which host with --repo-url; over ssh an app has a deploy key instead.",
      );
    await parts.vault.ready();
    parts.credentials.save(environment.app_id, credential, source);
    return parts.credentials.list(environment.app_id);
  },
});

export const removeCredential = operation({
  verb: "credentials:remove",
  method: "DELETE",
  path: "/apps/:app/credentials",
  summary: "Forget what an app keeps for a host",
  input: t.Object({ app: AppRef, origin: t.String({ description: "As `credentials` shows it" }) }),
  output: t.Object({ removed: t.Boolean() }),
  permission: "apps:write",
  audit: "credential.removed",
  args: ["app", "origin"],
  run: ({ input }, { environments, credentials }) => {
    const origin = /^https?:\/\//.test(input.origin) ? (originOf(input.origin) ?? "") : input.origin;
    return { removed: credentials.remove(environments.find(input.app).app_id, origin) };
  },
});

export const listSshHosts = operation({
  verb: "ssh-hosts",
  method: "GET",
  path: "/ssh-hosts",
  summary: "Hosts of ssh repositories and the keys they were pinned with at first sight",
  input: t.Object({}),
  output: t.Array(SshHost),
  permission: "apps:read",
  run: (_, { gitCache }) => readKnownHosts(gitCache.knownHosts),
});

export const forgetSshHost = operation({
  verb: "ssh-hosts:forget",
  method: "DELETE",
  path: "/ssh-hosts/:host",
  summary: "Accept a host's new key: the next connection pins the one it meets",
  input: t.Object({ host: t.String({ description: "As `ssh-hosts` shows it" }) }),
  output: t.Object({ forgotten: t.Boolean() }),
  permission: "system:write",
  audit: "ssh_host.forgotten",
  args: ["host"],
  example: "diplo ssh-hosts:forget git.example.org",
  run: async ({ input }, { gitCache }) => {
    if (await forgetKnownHost(gitCache.knownHosts, input.host.toLowerCase())) return { forgotten: true };
    throw notFound("ssh_host", input.host, "diplo ssh-hosts lists those there are.");
  },
});

async function keyBody({ gitCache }: Parts, { source }: Environment, key: DeployKeyBody) {
  const repo_url = source?.kind === "git" ? source.repo_url : "";
  const host = knownHostOf(repo_url);
  const known = await readKnownHosts(gitCache.knownHosts);
  return {
    ...key,
    add_at: deployKeyPage(repo_url),
    ssh_hosts: known.filter((each) => each.host === host),
  };
}
