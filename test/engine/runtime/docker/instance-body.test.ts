import { describe, expect, test } from "bun:test";
import type { InstanceSpec } from "../../../../src/engine/runtime/container-runtime.ts";
import { engineFacts } from "../../../../src/engine/runtime/docker/engine-facts.ts";
import { fingerprint, instanceBody } from "../../../../src/engine/runtime/docker/instance-body.ts";

const SPEC: InstanceSpec = {
  name: "blog-web-1",
  image: "diplo/blog:1",
  labels: { app: "blog", environment: "production", environment_id: "E1", process: "web" },
  network: "diplo-e1",
  address: "10.213.0.2",
  aliases: ["web"],
  port: 8080,
  command: null,
  env: { PASSWORD: 'pa$$ "word"\nü' },
  mounts: [{ volume: "v1", path: "/data", read_only: false }],
  limits: { memory_bytes: 256 << 20, cpus: 0.5, pids: 100 },
  hardened: true,
  restart: "on-failure",
  stop_grace_s: 10,
};

const ABLE = { NCPU: 4, MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, PidsLimit: true };
const engine = (info: object, address = "unix:///var/run/docker.sock") =>
  engineFacts(address, "1.41", { Version: "20.10", Arch: "amd64" }, { ...ABLE, ...info });
const body = (spec: Partial<InstanceSpec> = {}, info = {}) =>
  instanceBody({ ...SPEC, ...spec }, "box1", engine(info), null);

describe("instanceBody", () => {
  test("an image of ours: no capabilities, read-only root with scratch directories", () => {
    const host = body().HostConfig;
    expect(host).toMatchObject({
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      SecurityOpt: ["no-new-privileges"],
    });
    expect(Object.keys(host?.Tmpfs ?? {})).toEqual(["/tmp", "/run", "/var/tmp"]);
  });

  test("a foreign image: three capabilities dropped, writable root", () => {
    const host = body({ hardened: false }).HostConfig;
    expect(host?.CapDrop).toEqual(["NET_RAW", "MKNOD", "AUDIT_WRITE"]);
    expect(host?.ReadonlyRootfs).toBeUndefined();
    expect(host?.SecurityOpt).toEqual(["no-new-privileges"]);
  });

  test("a volume mounted at a scratch directory takes its place", () => {
    const mounts = [{ volume: "v1", path: "/tmp", read_only: false }];
    expect(Object.keys(body({ mounts }).HostConfig?.Tmpfs ?? {})).toEqual(["/run", "/var/tmp"]);
  });

  test("limits: memory without extra swap, cores, processes", () => {
    expect(body().HostConfig).toMatchObject({
      Memory: 256 << 20,
      MemorySwap: 256 << 20,
      NanoCpus: 500_000_000,
      PidsLimit: 100,
    });
  });

  test("limits that this kernel cannot hold are not asked for", () => {
    const host = body(
      {},
      { MemoryLimit: false, SwapLimit: false, CpuCfsQuota: false, PidsLimit: false },
    ).HostConfig;
    for (const limit of ["Memory", "MemorySwap", "NanoCpus", "PidsLimit"] as const)
      expect(host?.[limit]).toBeUndefined();
    expect(body({}, { SwapLimit: false }).HostConfig).not.toHaveProperty("MemorySwap");
  });

  test("as many cores as there are, or no limit, is no limit: the engine refuses more", () => {
    expect(body({ limits: { ...SPEC.limits, cpus: 4 } }).HostConfig).not.toHaveProperty("NanoCpus");
    expect(body({ limits: { ...SPEC.limits, cpus: null } }).HostConfig).not.toHaveProperty("NanoCpus");
  });

  test("labels, static address, alias, log driver, init; nothing published, nothing privileged", () => {
    const made = body();
    expect(made.Labels).toMatchObject({ "diplo.box": "box1", "diplo.app": "blog", "diplo.process": "web" });
    expect(made.NetworkingConfig?.EndpointsConfig?.["diplo-e1"]).toEqual({
      Aliases: ["web"],
      IPAMConfig: { IPv4Address: "10.213.0.2" },
    } as never);
    expect(made.HostConfig).toMatchObject({
      Init: true,
      RestartPolicy: { Name: "on-failure" },
      LogConfig: { Type: "local", Config: { "max-size": "10m", "max-file": "3" } },
    });
    expect(made.HostConfig).not.toHaveProperty("PortBindings");
    expect(made.HostConfig).not.toHaveProperty("Privileged");
    expect(made.HostConfig).not.toHaveProperty("Binds");
  });

  test("where the bridge is out of reach, one fixed loopback port", () => {
    const made = instanceBody(SPEC, "box1", engine({}), 41_234);
    expect(made.HostConfig?.PortBindings).toEqual({
      "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "41234" }],
    });
    expect(made.Labels?.["diplo.spec"]).toBe(body().Labels?.["diplo.spec"]);
  });

  test("values reach the environment as they are", () => {
    expect(body().Env).toEqual(['PASSWORD=pa$$ "word"\nü']);
  });
});

test("fingerprint does not depend on the order of keys, but on every value", () => {
  const shuffled = Object.fromEntries(Object.entries(SPEC).reverse()) as unknown as InstanceSpec;
  expect(fingerprint(shuffled)).toBe(fingerprint(SPEC));
  expect(fingerprint({ ...SPEC, env: { PASSWORD: "other" } })).not.toBe(fingerprint(SPEC));
});
