import { describe, expect, test } from "bun:test";
import { engineFacts, negotiate } from "../../../../src/engine/runtime/docker/engine-facts.ts";

describe("negotiate", () => {
  test("answers the lower of the two newest versions, compared as numbers", () => {
    expect(negotiate({ ApiVersion: "1.41" })).toBe("1.41");
    expect(negotiate({ ApiVersion: "1.100" })).toBe("1.45");
  });

  test("goes up to what a newer engine demands", () => {
    expect(negotiate({ ApiVersion: "1.60", MinAPIVersion: "1.50" })).toBe("1.50");
  });

  test("refuses an engine that is too old, in numbers a person can use", () => {
    expect(() => negotiate({ Version: "19.03", ApiVersion: "1.40" })).toThrow("1.41 (Docker Engine 20.10)");
    expect(() => negotiate({})).toThrow("engine");
  });
});

describe("engineFacts", () => {
  const UNIX = "unix:///var/run/docker.sock";
  const able = { MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, PidsLimit: true };

  test("a stock engine can do everything and warns of nothing", () => {
    const { info } = engineFacts(UNIX, "1.41", { Arch: "arm64" }, able);
    expect(info.capabilities).toEqual([
      "memory_limit",
      "swap_limit",
      "cpu_limit",
      "pids_limit",
      "buildkit",
      "bridge_address",
    ]);
    expect(info.warnings).toEqual([]);
    expect(info.architecture).toBe("arm64");
  });

  test("a Pi with the memory cgroup off says so, with the remedy", () => {
    const { info } = engineFacts(UNIX, "1.41", {}, { ...able, MemoryLimit: false });
    expect(info.capabilities).not.toContain("memory_limit");
    expect(info.warnings[0]).toContain("cgroup_enable=memory");
  });

  test("rootless and remote engines have no bridge the host could reach", () => {
    const rootless = engineFacts(
      UNIX,
      "1.41",
      {},
      { ...able, SecurityOptions: ["name=seccomp", "name=rootless"] },
    );
    expect([rootless.bridgeReachable, rootless.info.rootless]).toEqual([false, true]);
    expect(engineFacts("tcp://10.0.0.9:2375", "1.41", {}, able).bridgeReachable).toBe(false);
  });

  test("Podman is told from Docker by its components, and has no BuildKit", () => {
    const { info } = engineFacts(UNIX, "1.41", { Components: [{ Name: "Podman Engine" }] }, {});
    expect(info.type).toBe("podman");
    expect(info.capabilities).not.toContain("buildkit");
  });
});
