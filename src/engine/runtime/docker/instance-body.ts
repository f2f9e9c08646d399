import { createHash } from "node:crypto";
import type Docker from "dockerode";
import type { InstanceSpec, Limits } from "../container-runtime.ts";
import type { EngineFacts } from "./engine-facts.ts";
import { engineLabels, SPEC_LABEL } from "./ownership.ts";

/** Capabilities that stock images do without, though dropping all of them would break those images. */
const DROPPED_FROM_FOREIGN = ["NET_RAW", "MKNOD", "AUDIT_WRITE"];

/** Directories that programs expect to write to although the root is read-only. */
const SCRATCH_DIRECTORIES = ["/tmp", "/run", "/var/tmp"];

export type ContainerBody = Omit<Docker.ContainerCreateOptions, "name" | "abortSignal">;

/** What instances and one-off containers have in common. */
export type CommonSpec = Omit<InstanceSpec, "address" | "restart"> & { address: string | null };

/** The engine's create request for an instance. `hostPort`: loopback port to publish where the bridge is out of reach. */
export function instanceBody(
  spec: InstanceSpec,
  boxId: string,
  engine: EngineFacts,
  hostPort: number | null,
): ContainerBody {
  const body = commonBody(spec, boxId, engine);
  body.HostConfig = { ...body.HostConfig, RestartPolicy: { Name: spec.restart } };
  if (hostPort !== null && spec.port !== null) {
    const port = `${spec.port}/tcp`;
    body.ExposedPorts = { [port]: {} };
    body.HostConfig.PortBindings = { [port]: [{ HostIp: "127.0.0.1", HostPort: String(hostPort) }] };
  }
  // Without the port: it is chosen anew for each container and says nothing about what was asked for.
  body.Labels = { ...body.Labels, [SPEC_LABEL]: fingerprint(spec) };
  return body;
}

export function commonBody(spec: CommonSpec, boxId: string, engine: EngineFacts): ContainerBody {
  return {
    Image: spec.image,
    Labels: engineLabels(boxId, spec.labels),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    ...(spec.command ? { Cmd: spec.command } : {}),
    StopTimeout: spec.stop_grace_s,
    HostConfig: {
      NetworkMode: spec.network,
      Init: true,
      Mounts: mounts(spec, boxId),
      ...limits(spec.limits, engine),
      ...confinement(spec),
      ...(engine.podman
        ? {}
        : { LogConfig: { Type: "local", Config: { "max-size": "10m", "max-file": "3" } } }),
    },
    NetworkingConfig: {
      EndpointsConfig: {
        [spec.network]: {
          Aliases: spec.aliases,
          ...(spec.address ? { IPAMConfig: { IPv4Address: spec.address } } : {}),
        },
      },
    },
  };
}

/** Fingerprint of a specification, whatever order its keys were written in. */
export function fingerprint(spec: InstanceSpec): string {
  const sorted = (_key: string, value: unknown) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(spec, sorted)).digest("hex").slice(0, 32);
}

function mounts(spec: CommonSpec, boxId: string): Docker.MountConfig {
  return spec.mounts.map((mount) => ({
    Type: "volume",
    Source: mount.volume,
    Target: mount.path,
    ReadOnly: mount.read_only,
    // Should the volume be missing, the engine makes it; then it must bear our labels too.
    VolumeOptions: {
      NoCopy: false,
      DriverConfig: { Name: "local", Options: {} },
      Labels: engineLabels(boxId, {
        app: spec.labels.app,
        environment: spec.labels.environment,
        environment_id: spec.labels.environment_id,
      }),
    },
  }));
}

// The engine refuses or drops limits its kernel cannot hold, so only those that work are asked for.
function limits(wanted: Limits, engine: EngineFacts): Partial<Docker.HostConfig> {
  const granted: Partial<Docker.HostConfig> = {};
  if (engine.memoryLimit) {
    granted.Memory = wanted.memory_bytes;
    if (engine.swapLimit) granted.MemorySwap = wanted.memory_bytes;
  }
  if (engine.cpuLimit && wanted.cpus !== null && wanted.cpus < engine.cpus)
    granted.NanoCpus = Math.round(wanted.cpus * 1e9);
  if (engine.pidsLimit) granted.PidsLimit = wanted.pids;
  return granted;
}

function confinement(spec: CommonSpec): Partial<Docker.HostConfig> {
  const SecurityOpt = ["no-new-privileges"];
  if (!spec.hardened) return { SecurityOpt, CapDrop: DROPPED_FROM_FOREIGN };
  // Programs unpack and run helpers in /tmp, hence exec; the memory limit counts what lies there.
  const options = `rw,exec,nosuid,nodev,mode=1777,size=${Math.ceil(spec.limits.memory_bytes / 2)}`;
  const Tmpfs = Object.fromEntries(
    SCRATCH_DIRECTORIES.filter((path) => !spec.mounts.some((mount) => mount.path === path)).map((path) => [
      path,
      options,
    ]),
  );
  return { SecurityOpt, CapDrop: ["ALL"], ReadonlyRootfs: true, Tmpfs };
}
