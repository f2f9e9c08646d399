import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";

/** A host of ssh repositories as it was pinned at first sight. */
export interface KnownHost {
  /** `git.example.org`, or `[git.example.org]:2222` for another port than 22. */
  host: string;
  key_type: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint: string;
}

/** How known_hosts (sshd(8)) names the host of an ssh:// address; null for other addresses. */
export function knownHostOf(repo_url: string): string | null {
  if (!repo_url.startsWith("ssh://")) return null;
  const { hostname, port } = new URL(repo_url);
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return port === "" || port === "22" ? host : `[${host}]:${port}`;
}

/** Every pinned key; empty when no host was met yet. */
export async function readKnownHosts(file: string): Promise<KnownHost[]> {
  const lines = (await textOf(file)).split("\n");
  return lines.flatMap((line) => {
    const [hosts = "", key_type = "", key = ""] = line.split(" ");
    if (key === "") return [];
    const digest = createHash("sha256").update(Buffer.from(key, "base64")).digest("base64");
    const fingerprint = `SHA256:${digest.replace(/=+$/, "")}`;
    return hosts.split(",").map((host) => ({ host, key_type, fingerprint }));
  });
}

/** Drops a host's keys, so that the next connection pins the one it meets. Answers whether there were any. */
export async function forgetKnownHost(file: string, host: string): Promise<boolean> {
  const before = await textOf(file);
  const kept = before
    .split("\n")
    .filter((line) => !line.split(" ", 1)[0]!.split(",").includes(host))
    .join("\n");
  if (kept === before) return false;
  await writeFile(`${file}.new`, kept, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return true;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}
