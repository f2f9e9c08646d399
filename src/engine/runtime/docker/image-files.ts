import type { Readable } from "node:stream";
import { DiploError } from "../../../errors.ts";
import type { ImageFilesRequest } from "../container-runtime.ts";
import { createContainer, ownContainer, removeContainer } from "./containers.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineLabels } from "./ownership.ts";

/**
 * Reads a directory of an image as a tar. The engine gives files of containers only, so one is made that is never
 * started, in place of one that a killed attempt left; it is removed whatever happens.
 */
export async function imageFiles<T>(
  client: DockerClient,
  { name, image, path, labels }: ImageFilesRequest,
  read: (tar: Readable) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const body = {
    Image: image,
    // An image of files has no command, and the engine makes no container without one.
    Cmd: ["/"],
    Labels: engineLabels(client.boxId, labels),
    HostConfig: { NetworkMode: "none" },
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    const created = await createContainer(client, name, body);
    const container = await ownContainer(client, name);
    if (!container) continue;
    try {
      if (created) return await read(await archiveOf(client, container.Id, path, signal));
    } finally {
      await removeContainer(client, container.Id);
    }
  }
  throw new DiploError("engine_refused", `container "${name}" keeps vanishing while its files are read`);
}

function archiveOf(client: DockerClient, id: string, path: string, signal: AbortSignal): Promise<Readable> {
  return client.stream(
    "read files",
    { method: "GET", path: `/containers/${id}/archive`, query: { path } },
    signal,
  );
}
