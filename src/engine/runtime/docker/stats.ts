import { cgroupStats } from "./cgroup-stats.ts";
import { ownContainer } from "./containers.ts";
import type { DockerClient } from "./docker-client.ts";
import { refusedWith } from "./engine-error.ts";

export interface InstanceStats {
  /** 100 = one core fully used. */
  cpu_percent: number;
  memory_bytes: number;
  memory_limit_bytes: number;
}

interface CpuSample {
  cpu_usage?: { total_usage?: number };
  system_cpu_usage?: number;
  online_cpus?: number;
}

/** The fields of `GET /containers/x/stats` that are read. */
export interface EngineStats {
  cpu_stats?: CpuSample;
  precpu_stats?: CpuSample;
  memory_stats?: { usage?: number; limit?: number; stats?: Record<string, number> };
}

/** One measurement over a moment. null: does not run, or not knowable. */
export async function instanceStats(client: DockerClient, name: string): Promise<InstanceStats | null> {
  const container = await ownContainer(client, name);
  if (!container?.State.Running) return null;
  const local = client.address.startsWith("unix://") ? await cgroupStats(container.State.Pid ?? 0) : null;
  return local ?? fromEngine(client, container.Id);
}

// Takes the engine more than a second.
async function fromEngine(client: DockerClient, id: string): Promise<InstanceStats | null> {
  try {
    const answer = await client.call("stats", (docker, abortSignal) =>
      docker.getContainer(id).stats({ stream: false, abortSignal } as { stream: false }),
    );
    return statsFrom(answer as unknown as EngineStats);
  } catch (error) {
    if (refusedWith(error, 404) || refusedWith(error, 409)) return null;
    throw error;
  }
}

export function statsFrom(stats: EngineStats): InstanceStats | null {
  const memory = stats.memory_stats;
  // A stopped container answers with empty objects.
  if (memory?.usage === undefined) return null;
  return {
    cpu_percent: cpuPercent(stats.cpu_stats ?? {}, stats.precpu_stats ?? {}),
    memory_bytes: Math.max(0, memory.usage - reclaimable(memory.stats ?? {})),
    memory_limit_bytes: memory.limit ?? 0,
  };
}

function cpuPercent(now: CpuSample, before: CpuSample): number {
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const system = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  if (used <= 0 || system <= 0) return 0;
  return Math.round((used / system) * (now.online_cpus || 1) * 1000) / 10;
}

// Page cache that the kernel gives back when asked: cgroup v1 says total_inactive_file, v2 inactive_file.
function reclaimable(stats: Record<string, number>): number {
  return stats.total_inactive_file ?? stats.inactive_file ?? 0;
}
