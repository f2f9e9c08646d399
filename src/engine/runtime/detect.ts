import { access, constants, stat } from "node:fs/promises";
import { DiploError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { RuntimeInfo, RuntimeType } from "./container-runtime.ts";
import { openDockerClient } from "./docker/docker-client.ts";

export interface DetectOptions {
  /** DOCKER_HOST, when set: then no other Docker engine is looked for. */
  dockerHost?: string | undefined;
  /** Where a user's own engine keeps its socket (XDG_RUNTIME_DIR). Default `/run/user/<uid>`. */
  runtimeDirectory?: string | undefined;
  log: Log;
}

interface Candidate {
  type: RuntimeType;
  address: string;
}

/** Every engine this box could have, best first, each with the reason when it cannot be used. Never throws. */
export function detectRuntimes(options: DetectOptions): Promise<RuntimeInfo[]> {
  return Promise.all(candidates(options).map((candidate) => probe(candidate, options.log)));
}

function candidates({ dockerHost, runtimeDirectory }: DetectOptions): Candidate[] {
  const own = runtimeDirectory ?? `/run/user/${process.getuid?.() ?? 0}`;
  const docker = dockerHost ? [dockerHost] : ["unix:///var/run/docker.sock", `unix://${own}/docker.sock`];
  const podman = ["unix:///run/podman/podman.sock", `unix://${own}/podman/podman.sock`];
  return [
    ...docker.map((address) => ({ type: "docker" as const, address })),
    ...podman.map((address) => ({ type: "podman" as const, address })),
  ];
}

async function probe(candidate: Candidate, log: Log): Promise<RuntimeInfo> {
  const path = candidate.address.startsWith("unix://") ? candidate.address.slice("unix://".length) : null;
  const obstacle = path === null ? null : await socketObstacle(path);
  if (obstacle) return unavailable(candidate, obstacle);
  try {
    const client = await openDockerClient(candidate.address, "", log);
    return (await client.engine()).info;
  } catch (error) {
    return unavailable(candidate, whyNot(candidate, error));
  }
}

async function socketObstacle(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isSocket()) return `${path} is not a socket.`;
    await access(path, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ENOTDIR") return `There is no engine socket at ${path}.`;
    return denied(path);
  }
}

function denied(path: string): string {
  return (
    `This user may not use the engine at ${path}. ` +
    "Remedy: `sudo usermod -aG docker $USER`, then sign in again (members of that group are as good as root)."
  );
}

function whyNot(candidate: Candidate, error: unknown): string {
  if (error instanceof DiploError && error.code !== "engine_down") return error.detail;
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  if (cause?.code === "EACCES") return denied(candidate.address);
  const words = cause?.message ?? (error instanceof Error ? error.message : String(error));
  return `Nothing answers at ${candidate.address} (${words}). Is the engine running?`;
}

function unavailable(candidate: Candidate, reason: string): RuntimeInfo {
  return {
    ...candidate,
    version: "",
    api_version: "",
    os: "",
    architecture: "",
    rootless: false,
    cpus: 0,
    memory_bytes: 0,
    available: false,
    reason,
    capabilities: [],
    warnings: [],
  };
}
