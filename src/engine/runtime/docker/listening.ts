import { readFile } from "node:fs/promises";
import { ownContainer } from "./containers.ts";
import type { DockerClient } from "./docker-client.ts";
import { execCapture } from "./exec.ts";
import { type ListeningPort, parseSocketTable } from "./socket-table.ts";

/**
 * Ports that processes of a container listen on. Read from the kernel through the container's main process, which
 * needs no right but to see it; else by `cat` inside the container. null when it does not run or neither works.
 */
export async function listeningPorts(client: DockerClient, name: string): Promise<ListeningPort[] | null> {
  const container = await ownContainer(client, name);
  if (!container?.State.Running) return null;
  const table =
    (await fromHost(client, container.State.Pid ?? 0)) ?? (await fromInside(client, container.Id));
  return table === null ? null : parseSocketTable(table);
}

async function fromHost(client: DockerClient, pid: number): Promise<string | null> {
  // A process id says something only on the engine's own host.
  if (!client.address.startsWith("unix://") || pid <= 0) return null;
  const tables = ["tcp", "tcp6"].map((table) =>
    readFile(`/proc/${pid}/net/${table}`, "utf8").catch(() => null),
  );
  const found = (await Promise.all(tables)).filter((table) => table !== null);
  return found.length > 0 ? found.join("\n") : null;
}

function fromInside(client: DockerClient, id: string): Promise<string | null> {
  return execCapture(client, id, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
}
