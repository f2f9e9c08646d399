import { DiploError } from "../../../errors.ts";
import type { RuntimeEvent } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineDown } from "./engine-error.ts";
import { jsonLines } from "./json-lines.ts";
import { memoryKills } from "./memory-kills.ts";
import { labelFilter } from "./ownership.ts";

const TYPES = ["start", "die", "oom", "destroy"] as const;

/**
 * What happens to this box's containers from now on. Ends quietly when the signal aborts; throws `engine_down`
 * when the engine hangs up. Whoever reconnects must look at the world again: what happened meanwhile is not replayed.
 */
export async function* runtimeEvents(
  client: DockerClient,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  const leave = new AbortController();
  const starved = new Set<string>();
  const filters = { type: ["container"], event: [...TYPES, "health_status"], ...labelFilter(client.boxId) };
  try {
    const request = { method: "GET" as const, path: "/events", query: { filters } };
    const stream = await client.stream("events", request, AbortSignal.any([signal, leave.signal]));
    for await (const line of jsonLines(stream)) {
      const event = runtimeEvent(line as unknown as EngineEvent);
      if (event) yield { ...event, oom_killed: ranOutOfMemory(event, starved) };
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof DiploError ? error : engineDown("events", error);
  } finally {
    leave.abort();
  }
  if (!signal.aborted) throw engineDown("events", new Error("the engine hung up"));
}

const SIGKILL_EXIT = 137;

/** The engine tells of a memory kill before the end it causes; where it saw none, the kernel's log is asked. */
function ranOutOfMemory({ type, container_id, exit_code }: RuntimeEvent, starved: Set<string>): boolean {
  if (type === "oom") starved.add(container_id);
  if (type !== "die") return false;
  return starved.delete(container_id) || (exit_code === SIGKILL_EXIT && memoryKills().has(container_id));
}

interface EngineEvent {
  Action?: string;
  time?: number;
  timeNano?: number;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}

export function runtimeEvent(event: EngineEvent): RuntimeEvent | null {
  const action = event.Action ?? "";
  const type = action.startsWith("health_status") ? "health" : TYPES.find((known) => known === action);
  if (!type) return null;
  const attributes = event.Actor?.Attributes ?? {};
  return {
    type,
    container_id: event.Actor?.ID ?? "",
    labels: Object.fromEntries(Object.entries(attributes).filter(([key]) => key.startsWith("diplo."))),
    at: Math.floor((event.timeNano ?? (event.time ?? 0) * 1e9) / 1e6),
    exit_code: attributes.exitCode === undefined ? null : Number(attributes.exitCode),
    oom_killed: false,
  };
}
