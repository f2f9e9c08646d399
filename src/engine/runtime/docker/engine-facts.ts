import { DiploError } from "../../../errors.ts";
import type { RuntimeInfo } from "../container-runtime.ts";

/** Oldest API this code speaks (Engine 20.10) and the newest its tests ran against (Engine 26.1). */
export const OLDEST_API = "1.41";
export const NEWEST_API = "1.45";

/** The fields of `GET /version` that are read. */
export interface EngineVersion {
  Version?: string;
  ApiVersion?: string;
  MinAPIVersion?: string;
  Os?: string;
  Arch?: string;
  Components?: { Name?: string }[];
}

/** The fields of `GET /info` that are read. */
export interface EngineInfo {
  OSType?: string;
  OperatingSystem?: string;
  NCPU?: number;
  MemTotal?: number;
  MemoryLimit?: boolean;
  SwapLimit?: boolean;
  CpuCfsQuota?: boolean;
  CPUCfsQuota?: boolean;
  PidsLimit?: boolean;
  SecurityOptions?: string[] | null;
}

/** What an engine can do, read once per connection. */
export interface EngineFacts {
  podman: boolean;
  apiVersion: string;
  rootless: boolean;
  /** The host reaches containers at their own addresses. */
  bridgeReachable: boolean;
  memoryLimit: boolean;
  swapLimit: boolean;
  cpuLimit: boolean;
  pidsLimit: boolean;
  cpus: number;
  info: RuntimeInfo;
}

/** The version both sides speak; `too_old` when there is none. */
export function negotiate(engine: EngineVersion): string {
  const theirs = engine.ApiVersion ?? "0";
  if (compareVersions(theirs, OLDEST_API) < 0) {
    const why = `engine ${engine.Version ?? "?"} speaks API ${theirs}; Diplo needs ${OLDEST_API} (Docker Engine 20.10) or newer`;
    throw new DiploError("engine_too_old", why, { status: 503, detail: `The container ${why}.` });
  }
  const ours = compareVersions(theirs, NEWEST_API) < 0 ? theirs : NEWEST_API;
  const floor = engine.MinAPIVersion ?? "0";
  return compareVersions(ours, floor) < 0 ? floor : ours;
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

/** Turns the engine's two self-descriptions into what callers need. `local` = reached by a unix socket. */
export function engineFacts(
  address: string,
  apiVersion: string,
  version: EngineVersion,
  info: EngineInfo,
): EngineFacts {
  const local = address.startsWith("unix://");
  const podman = (version.Components ?? []).some((part) => /podman/i.test(part.Name ?? ""));
  const rootless = (info.SecurityOptions ?? []).some((option) => /(^|=)rootless\b/.test(option));
  const desktop = /docker desktop/i.test(info.OperatingSystem ?? "");
  const facts = {
    podman,
    apiVersion,
    rootless,
    bridgeReachable: local && !rootless && !desktop,
    // Podman leaves these out of /info; it always has them on cgroup v2, where it is tested.
    memoryLimit: info.MemoryLimit ?? podman,
    swapLimit: info.SwapLimit ?? podman,
    cpuLimit: info.CpuCfsQuota ?? info.CPUCfsQuota ?? podman,
    pidsLimit: info.PidsLimit ?? podman,
    cpus: info.NCPU ?? 1,
  };
  return { ...facts, info: describe(address, version, info, facts) };
}

function describe(
  address: string,
  version: EngineVersion,
  info: EngineInfo,
  facts: Omit<EngineFacts, "info">,
): RuntimeInfo {
  const able: Record<string, boolean> = {
    memory_limit: facts.memoryLimit,
    swap_limit: facts.swapLimit,
    cpu_limit: facts.cpuLimit,
    pids_limit: facts.pidsLimit,
    buildkit: !facts.podman,
    bridge_address: facts.bridgeReachable,
  };
  return {
    type: facts.podman ? "podman" : "docker",
    address,
    version: version.Version ?? "unknown",
    api_version: facts.apiVersion,
    os: info.OSType ?? version.Os ?? "linux",
    architecture: version.Arch ?? "unknown",
    rootless: facts.rootless,
    cpus: facts.cpus,
    memory_bytes: info.MemTotal ?? 0,
    available: true,
    reason: null,
    capabilities: Object.keys(able).filter((name) => able[name]),
    warnings: warnings(facts),
  };
}

function warnings(facts: Omit<EngineFacts, "info">): string[] {
  const found: string[] = [];
  if (!facts.memoryLimit)
    found.push(
      "Memory limits do not work: the kernel's memory cgroup is off. On a Raspberry Pi add " +
        "`cgroup_enable=memory cgroup_memory=1` to /boot/firmware/cmdline.txt and restart it.",
    );
  if (!facts.cpuLimit) found.push("CPU limits do not work: the kernel's CPU scheduler lacks CFS quotas.");
  if (!facts.pidsLimit) found.push("Process limits do not work: the kernel's pids cgroup is off.");
  if (!facts.bridgeReachable)
    found.push(
      "Containers are reached by loopback ports: this engine's networks are out of the host's reach.",
    );
  if (facts.podman)
    found.push("Podman builds have no secrets, and a step that runs is not stopped with its build.");
  return found;
}
