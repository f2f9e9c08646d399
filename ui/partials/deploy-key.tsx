import { Copyable } from "../components/copyable.tsx";
import { safeHref } from "../components/escape.ts";

export interface DeployKeyView {
  public_key: string;
  fingerprint: string;
  /** The host's page for deploy keys, where we know it. */
  add_at: string | null;
  ssh_hosts: { host: string; fingerprint: string }[];
}

/** The public half, and where it goes. */
export function DeployKey({ deployKey }: { deployKey: DeployKeyView }) {
  const { public_key, fingerprint, add_at, ssh_hosts } = deployKey;
  return (
    <div class="deploykey">
      <p>
        <Copyable value={public_key} label="the deploy key" />
      </p>
      <p>
        {add_at ? (
          <>
            Add it at{" "}
            <a href={safeHref(add_at)} rel="noopener" target="_blank" safe>
              {add_at.replace(/^https:\/\//, "")}
            </a>
            .
          </>
        ) : (
          "Add it in the repository's settings at its host, as a deploy key."
        )}{" "}
        Reading is enough. The private half stays sealed on the box.
      </p>
      <p class="faint">
        Fingerprint <code safe>{fingerprint}</code>
      </p>
      {ssh_hosts.map((known) => (
        <p class="faint">
          <span safe>{`${known.host} is known by `}</span>
          <code safe>{known.fingerprint}</code>, pinned at first sight
        </p>
      ))}
    </div>
  );
}
