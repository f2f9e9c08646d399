import { expect, test } from "bun:test";
import { cgroupStats } from "../../../../src/engine/runtime/docker/cgroup-stats.ts";
import { statsFrom } from "../../../../src/engine/runtime/docker/stats.ts";

test("statsFrom: one core of four, fully used, is 100 percent; page cache is not counted", () => {
  expect(
    statsFrom({
      cpu_stats: { cpu_usage: { total_usage: 2e9 }, system_cpu_usage: 14e9, online_cpus: 4 },
      precpu_stats: { cpu_usage: { total_usage: 1e9 }, system_cpu_usage: 10e9 },
      memory_stats: { usage: 500, limit: 1_000, stats: { inactive_file: 200 } },
    }),
  ).toEqual({ cpu_percent: 100, memory_bytes: 300, memory_limit_bytes: 1_000 });
});

test("statsFrom: a stopped container has none", () => {
  expect(statsFrom({ cpu_stats: {}, precpu_stats: {}, memory_stats: {} })).toBeNull();
});

test("cgroupStats answers null for a process that is gone", async () => {
  expect(await cgroupStats(2 ** 22 + 1)).toBeNull();
});
