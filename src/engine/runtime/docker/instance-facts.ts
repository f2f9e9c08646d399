import type { InstanceFacts } from "../container-runtime.ts";
import { memoryKills } from "./memory-kills.ts";

/** The fields of a container's inspection that are read. */
export interface InspectedContainer {
  Id: string;
  Name: string;
  Image: string;
  RestartCount?: number;
  State: {
    Status: string;
    Running: boolean;
    Pid?: number;
    ExitCode?: number;
    OOMKilled?: boolean;
    Error?: string;
    StartedAt?: string;
    FinishedAt?: string;
  };
  Config: { Labels?: Record<string, string> | null; Tty?: boolean };
  HostConfig?: { PortBindings?: Record<string, { HostPort?: string }[] | null> | null };
  NetworkSettings?: {
    Networks?: Record<
      string,
      { IPAddress?: string; IPAMConfig?: { IPv4Address?: string } | null } | null
    > | null;
  };
}

const STATES = ["created", "running", "restarting", "paused", "exited", "dead"] as const;

/** The engine's inspections in our words; where it saw no memory kill, the kernel's log is asked. */
export function instancesFacts(
  containers: InspectedContainer[],
  killed: () => ReadonlySet<string> = memoryKills,
): InstanceFacts[] {
  const facts = containers.map(instanceFacts);
  const suspects = facts.filter((found) => found.exit_code && !found.oom_killed);
  if (suspects.length === 0) return facts;
  const ids = killed();
  for (const suspect of suspects) suspect.oom_killed = ids.has(suspect.container_id);
  return facts;
}

function instanceFacts(container: InspectedContainer): InstanceFacts {
  const state = container.State;
  const ended = ["exited", "dead", "restarting"].includes(state.Status);
  return {
    container_id: container.Id,
    name: container.Name.replace(/^\//, ""),
    labels: container.Config.Labels ?? {},
    // "removing" and Podman's in-between states: on the way out, nothing to count on.
    state: STATES.find((known) => known === state.Status) ?? "dead",
    image_id: container.Image,
    address: addressOf(container),
    host_port: hostPortOf(container),
    exit_code: ended ? (state.ExitCode ?? null) : null,
    oom_killed: state.OOMKilled ?? false,
    restart_count: container.RestartCount ?? 0,
    started_at: instant(state.StartedAt),
    finished_at: ended ? instant(state.FinishedAt) : null,
    pid: state.Pid || null,
    error: state.Error || null,
  };
}

// A container that does not run has no address; the recorded one is what it will get again.
function addressOf(container: InspectedContainer): string | null {
  const endpoint = Object.values(container.NetworkSettings?.Networks ?? {}).find(
    (network) => network !== null,
  );
  return endpoint?.IPAddress || endpoint?.IPAMConfig?.IPv4Address || null;
}

function hostPortOf(container: InspectedContainer): number | null {
  const bindings = Object.values(container.HostConfig?.PortBindings ?? {});
  return Number(bindings[0]?.[0]?.HostPort) || null;
}

// Year 1 is the engine's way of saying never.
function instant(text: string | undefined): number | null {
  const at = Date.parse(text ?? "");
  return at > 0 ? at : null;
}
