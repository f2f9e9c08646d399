import { describe, expect, test } from "bun:test";
import {
  type InspectedContainer,
  instancesFacts,
} from "../../../../src/engine/runtime/docker/instance-facts.ts";
import { containerIds, memoryKills } from "../../../../src/engine/runtime/docker/memory-kills.ts";

const ID = "ab".repeat(32);
const container = (state: Partial<InspectedContainer["State"]>, more: Partial<InspectedContainer> = {}) => ({
  Id: ID,
  Name: "/blog-web-1",
  Image: "sha256:1",
  State: { Status: "running", Running: true, ...state },
  Config: { Labels: null },
  ...more,
});
const facts = (found: InspectedContainer, killed: string[] = []) =>
  instancesFacts([found], () => new Set(killed))[0];

describe("instancesFacts", () => {
  test("a running container has neither exit code nor end", () => {
    const found = facts(
      container({
        ExitCode: 0,
        StartedAt: "2026-11-21T08:00:00.5Z",
        FinishedAt: "0001-01-01T00:00:00Z",
        Pid: 7,
      }),
    );
    expect(found).toMatchObject({
      name: "blog-web-1",
      state: "running",
      exit_code: null,
      finished_at: null,
      pid: 7,
    });
    expect(found?.started_at).toBe(Date.parse("2026-11-21T08:00:00.5Z"));
  });

  test("a stopped one keeps the recorded address", () => {
    const networks = { net: { IPAddress: "", IPAMConfig: { IPv4Address: "10.213.0.2" } } };
    const found = facts(
      container({ Status: "exited", ExitCode: 0 }, { NetworkSettings: { Networks: networks } }),
    );
    expect(found).toMatchObject({ state: "exited", exit_code: 0, address: "10.213.0.2" });
  });

  test("the published loopback port is told", () => {
    const bindings = { PortBindings: { "8080/tcp": [{ HostPort: "41234" }] } };
    expect(facts(container({}, { HostConfig: bindings }))?.host_port).toBe(41_234);
  });

  test("the kernel's log fills in a memory kill that the engine missed, for failures only", () => {
    const failed = container({ Status: "exited", ExitCode: 137 });
    expect(facts(failed)?.oom_killed).toBe(false);
    expect(facts(failed, [ID])?.oom_killed).toBe(true);
    expect(facts(container({}), [ID])?.oom_killed).toBe(false);
    expect(facts(container({ Status: "exited", ExitCode: 1, OOMKilled: true }))?.oom_killed).toBe(true);
  });
});

describe("memoryKills", () => {
  test("reads ids out of both spellings of a control group", () => {
    const other = "cd".repeat(32);
    const records = [
      `6,1,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/${ID},task_memcg=/docker/${ID},task=awk`,
      `6,2,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/system.slice/docker-${other}.scope,task=node`,
      "6,3,3,-;oom-kill:constraint=CONSTRAINT_NONE,global_oom,task=firefox",
    ];
    expect([...containerIds(records)]).toEqual([ID, other]);
  });

  test("is empty where there is no such log", () => {
    expect(memoryKills("/nonexistent/kmsg").size).toBe(0);
  });
});
