import { conflict } from "../../../errors.ts";
import type { OwnerLabels } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { refusedWith } from "./engine-error.ts";
import { engineLabels, isOurs, labelFilter, notOurs } from "./ownership.ts";

interface ListedVolume {
  Name: string;
  Labels?: Record<string, string> | null;
}

/** Makes the volume unless it is there. `not_ours`: somebody else's has that name. */
export async function ensureVolume(client: DockerClient, name: string, labels: OwnerLabels): Promise<void> {
  // The engine answers an existing volume of the name as if it had made it: the label tells.
  const volume = (await client.call("create volume", (docker, abortSignal) =>
    docker.createVolume({ Name: name, Labels: engineLabels(client.boxId, labels), abortSignal }),
  )) as unknown as ListedVolume;
  if (volume.Labels === undefined) volume.Labels = (await inspect(client, name))?.Labels;
  if (!isOurs(client.boxId, volume.Labels)) throw notOurs("volume", name);
}

/** Absent is fine. `volume_in_use` while a container, even a stopped one, mounts it. */
export async function removeVolume(client: DockerClient, name: string): Promise<void> {
  const volume = await inspect(client, name);
  if (!volume) return;
  if (!isOurs(client.boxId, volume.Labels)) throw notOurs("volume", name);
  try {
    await client.call("remove volume", (docker, abortSignal) =>
      docker.getVolume(name).remove({ abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, 404)) return;
    if (refusedWith(error, 409))
      throw conflict("volume_in_use", `volume "${name}" is in use: ${error.words}`);
    throw error;
  }
}

export async function listVolumes(client: DockerClient) {
  const answer = await client.call("list volumes", (docker, abortSignal) =>
    docker.listVolumes({ filters: labelFilter(client.boxId), abortSignal }),
  );
  // The engine says null, not [], when there are none.
  const volumes: ListedVolume[] = Array.isArray(answer.Volumes) ? answer.Volumes : [];
  return volumes.map((volume) => ({ name: volume.Name, labels: volume.Labels ?? {} }));
}

async function inspect(client: DockerClient, name: string): Promise<ListedVolume | null> {
  try {
    return await client.call("inspect volume", (docker, abortSignal) =>
      docker.getVolume(name).inspect({ abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, 404)) return null;
    throw error;
  }
}
