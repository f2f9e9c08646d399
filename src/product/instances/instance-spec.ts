import type { InstanceSpec, OwnerLabels } from "../../engine/runtime/container-runtime.ts";
import { conflict } from "../../errors.ts";
import { type Environment, networkName } from "../environments/environments.ts";
import { bytesOf, mountsOf, type ReleaseSpec } from "../releases/release-spec.ts";
import type { ReleaseRow } from "../releases/releases.ts";

export interface InstanceIdentity {
  name: string;
  address: string;
  process: string;
  labels?: Partial<OwnerLabels>;
}

/** What the engine is asked to run for one process of a release. */
export function instanceSpec(
  environment: Environment,
  release: ReleaseRow,
  config: Record<string, string>,
  { name, address, process, labels }: InstanceIdentity,
): InstanceSpec {
  const { spec } = release;
  return {
    name,
    image: imageOf(release),
    labels: {
      app: environment.app,
      environment: environment.name,
      environment_id: environment.id,
      process,
      release: String(release.number),
      ...labels,
    },
    network: networkName(environment),
    address,
    aliases: [process],
    port: process === "web" ? spec.port : null,
    command: spec.processes[process]?.command ?? null,
    env: { ...spec.env, ...config, ...ownVariables(environment, release) },
    mounts: mountsOf(spec, process).map(({ volume, path, read_only }) => ({ volume, path, read_only })),
    limits: limitsOf(spec),
    hardened: spec.hardened,
    restart: "on-failure",
    stop_grace_s: spec.settings.stop_grace_s,
  };
}

function imageOf({ number, spec }: ReleaseRow): string {
  if (spec.image) return spec.image.id;
  throw conflict(
    "no_container",
    `v${number} is files that the proxy serves: there is no container to run anything in`,
    "To have one: diplo apps:set --static.serve container, then diplo deploy:again.",
  );
}

function limitsOf({ settings }: ReleaseSpec): InstanceSpec["limits"] {
  return {
    memory_bytes: bytesOf(settings.limits.memory),
    cpus: settings.limits.cpus,
    pids: settings.limits.pids,
  };
}

/** The contract of design.md §7, "In the container". */
function ownVariables(environment: Environment, release: ReleaseRow): Record<string, string> {
  return {
    PORT: String(release.spec.port),
    DIPLO_APP: environment.app,
    DIPLO_ENVIRONMENT: environment.name,
    DIPLO_RELEASE: `v${release.number}`,
    DIPLO_COMMIT: release.spec.commit ?? "",
  };
}
