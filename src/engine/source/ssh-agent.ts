import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GitOptions } from "./git.ts";

/** Constant: paths come from the environment. Nothing of a person's ssh configuration, no prompt, hosts pinned at first sight. */
const SSH = [
  "exec ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new",
  '-o "UserKnownHostsFile=\\"$DIPLO_KNOWN_HOSTS\\"" -o GlobalKnownHostsFile=/dev/null',
  "-o UpdateHostKeys=no -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o ForwardAgent=no",
  "-o ClearAllForwardings=yes -o PermitLocalCommand=no -o ConnectTimeout=20 -o ServerAliveInterval=20",
].join(" ");

/**
 * An agent of our own that holds one deploy key: the key goes from memory to memory and never into a file. Disposing
 * ends the agent and forgets the key.
 */
export async function startSshAgent(
  private_key: string | null,
  known_hosts: string,
  signal: AbortSignal,
): Promise<AsyncDisposable & Pick<GitOptions, "env">> {
  const env = {
    GIT_SSH_COMMAND: `sh -c '${SSH} "$0" "$@"'`,
    GIT_SSH_VARIANT: "ssh",
    DIPLO_KNOWN_HOSTS: known_hosts,
  };
  if (private_key === null) return { env, [Symbol.asyncDispose]: async () => undefined };
  const directory = await mkdtemp(join(tmpdir(), "diplo-ssh-"));
  const socket = join(directory, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  const stop = async () => {
    agent.kill("SIGTERM");
    await rm(directory, { recursive: true, force: true });
  };
  try {
    // It says where it listens once it does.
    await new Promise((resolve, reject) => {
      agent.once("error", reject);
      agent.once("exit", () => reject(new Error("ssh-agent ended")));
      agent.stdout.once("data", resolve);
    });
    await addKey(private_key, socket, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { env: { ...env, SSH_AUTH_SOCK: socket }, [Symbol.asyncDispose]: stop };
}

function addKey(private_key: string, socket: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("ssh-add", ["-q", "-"], {
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
      stdio: ["pipe", "ignore", "ignore"],
      signal,
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error("ssh-agent refused the deploy key")),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(private_key.endsWith("\n") ? private_key : `${private_key}\n`);
  });
}
