import { readFile } from "node:fs/promises";
import type { InstanceStats } from "./stats.ts";

/** Long enough for a meaningful share, short enough for a page that waits. */
const INTERVAL_MS = 250;
const ROOT = "/sys/fs/cgroup";

interface Sample {
  cpuNs: number;
  memoryBytes: number;
  limitBytes: number;
  at: number;
}

/**
 * CPU and memory of the container whose main process this is, read from the kernel's control groups: four times
 * faster than asking the engine, which answers zeros where its cgroup v1 code meets a new kernel. null when unreadable.
 */
export async function cgroupStats(pid: number): Promise<InstanceStats | null> {
  try {
    const read = sampler(await readFile(`/proc/${pid}/cgroup`, "utf8"));
    const before = await read();
    await Bun.sleep(INTERVAL_MS);
    const now = await read();
    const cpu_percent = Math.round(((now.cpuNs - before.cpuNs) / ((now.at - before.at) * 1e6)) * 1000) / 10;
    return {
      cpu_percent: Math.max(0, cpu_percent),
      memory_bytes: now.memoryBytes,
      memory_limit_bytes: Math.min(now.limitBytes, await hostMemoryBytes()),
    };
  } catch {
    // It ended meanwhile, or this host mounts its control groups elsewhere.
    return null;
  }
}

function sampler(membership: string): () => Promise<Sample> {
  const path = (controller: string) =>
    membership
      .split("\n")
      .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
      .find((line) => line?.[1]?.split(",").includes(controller))?.[2];
  const memory = path("memory");
  const cpu = path("cpuacct");
  if (memory !== undefined && cpu !== undefined)
    return () => sampleV1(`${ROOT}/memory${memory}`, `${ROOT}/cpuacct${cpu}`);
  return () => sampleV2(`${ROOT}${path("")}`);
}

async function sampleV1(memory: string, cpu: string): Promise<Sample> {
  const usage = await number(`${memory}/memory.usage_in_bytes`);
  const cache = field(await readFile(`${memory}/memory.stat`, "utf8"), "total_inactive_file");
  return {
    cpuNs: await number(`${cpu}/cpuacct.usage`),
    memoryBytes: Math.max(0, usage - cache),
    limitBytes: await number(`${memory}/memory.limit_in_bytes`),
    at: performance.now(),
  };
}

async function sampleV2(path: string): Promise<Sample> {
  const usage = await number(`${path}/memory.current`);
  const cache = field(await readFile(`${path}/memory.stat`, "utf8"), "inactive_file");
  return {
    cpuNs: field(await readFile(`${path}/cpu.stat`, "utf8"), "usage_usec") * 1000,
    memoryBytes: Math.max(0, usage - cache),
    limitBytes: await number(`${path}/memory.max`),
    at: performance.now(),
  };
}

// "max" is cgroup v2's word for no limit.
async function number(path: string): Promise<number> {
  const text = (await readFile(path, "utf8")).trim();
  return text === "max" ? Number.POSITIVE_INFINITY : Number(text);
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

async function hostMemoryBytes(): Promise<number> {
  return Number(/^MemTotal:\s+(\d+) kB/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024;
}
