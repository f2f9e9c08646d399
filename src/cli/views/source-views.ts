import { pairs, safe } from "../table.ts";
import { plainView } from "./plain-view.ts";
import type { View } from "./view-facts.ts";

interface DeployKey {
  public_key: string;
  fingerprint: string;
  add_at: string | null;
  ssh_hosts: { host: string; fingerprint: string }[];
}

/** The key alone on the first line, so that it can be copied or piped. */
export const deployKey: View<DeployKey> = ({ public_key, fingerprint, add_at, ssh_hosts }) =>
  `${safe(public_key)}\n${pairs([
    ["fingerprint", fingerprint],
    ["add it at", add_at ?? "the repository's settings at its host, as a deploy key; reading is enough"],
    ...ssh_hosts.map((known) => ["host key", `${known.fingerprint}  (${known.host}, pinned)`] as const),
  ])}`;

/** What is followed says the rest; a deployment that found nothing new is not there to be followed. */
export const deploymentStarted: View<{ changed?: false; name?: string; reason?: string }> = (answer) =>
  answer.changed === false ? `${answer.name}: nothing to deploy: ${answer.reason}\n` : "";

export const credentialList: View<unknown[]> = (kept, facts) =>
  kept.length === 0
    ? "Nothing is kept. Public repositories need none; keep a token: diplo credentials:set --github-token -\n"
    : plainView(kept, facts);

export const sshHostList: View<unknown[]> = (hosts, facts) =>
  hosts.length === 0
    ? "No hosts yet: the first connection over ssh pins its host's key.\n"
    : plainView(hosts, facts);
