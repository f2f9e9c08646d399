import { conflict } from "../../../errors.ts";
import type { ImageFacts } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { refusedWith } from "./engine-error.ts";
import { mapLimited } from "./map-limited.ts";
import { isOurs, labelFilter, notOurs } from "./ownership.ts";

/** The fields of an image's inspection that are read. */
interface InspectedImage {
  Id: string;
  RepoTags?: string[] | null;
  Architecture?: string;
  Os?: string;
  Size?: number;
  Created?: string;
  Config?: {
    ExposedPorts?: Record<string, unknown> | null;
    Volumes?: Record<string, unknown> | null;
    User?: string;
    Cmd?: string[] | null;
    Entrypoint?: string[] | null;
    Labels?: Record<string, string> | null;
  } | null;
}

/** null when the engine does not have it. */
export async function image(client: DockerClient, reference: string): Promise<ImageFacts | null> {
  try {
    // dockerode's image.inspect takes no abort signal: the deadline race alone bounds it.
    const found = await client.call("inspect image", (docker) => docker.getImage(reference).inspect());
    return imageFacts(found as InspectedImage);
  } catch (error) {
    if (refusedWith(error, 404)) return null;
    throw error;
  }
}

/** Images that builds of this box made. */
export async function listImages(client: DockerClient): Promise<ImageFacts[]> {
  const listed: unknown = await client.call("list images", (docker, abortSignal) =>
    docker.listImages({ filters: labelFilter(client.boxId), abortSignal }),
  );
  const ids = (Array.isArray(listed) ? listed : []).map((entry: { Id: string }) => entry.Id);
  const facts = await mapLimited(ids, (id) => image(client, id));
  return facts.filter((found) => found !== null);
}

/** Takes the tag (or id) away, the layers with the last one. Absent is fine; `image_in_use` while a container has it. */
export async function removeImage(client: DockerClient, reference: string): Promise<void> {
  const found = await image(client, reference);
  if (!found) return;
  if (!isOurs(client.boxId, found.labels)) throw notOurs("image", reference);
  try {
    await client.call("remove image", (docker, abortSignal) =>
      docker.getImage(reference).remove({ abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, 404)) return;
    if (refusedWith(error, 409))
      throw conflict("image_in_use", `image "${reference}" is in use: ${error.words}`);
    throw error;
  }
}

export function imageFacts(image: InspectedImage): ImageFacts {
  const config = image.Config ?? {};
  return {
    id: image.Id,
    tags: image.RepoTags ?? [],
    architecture: image.Architecture ?? "",
    os: image.Os ?? "",
    size_bytes: image.Size ?? 0,
    exposed_ports: tcpPorts(Object.keys(config.ExposedPorts ?? {})),
    volumes: Object.keys(config.Volumes ?? {}).sort(),
    user: config.User ?? "",
    command: config.Cmd ?? [],
    entrypoint: config.Entrypoint ?? [],
    labels: config.Labels ?? {},
    created_at: Date.parse(image.Created ?? "") || 0,
  };
}

// "8080/tcp", "9000-9002/tcp", "53/udp": only TCP can be proxied.
function tcpPorts(exposed: string[]): number[] {
  const ports = exposed.flatMap((entry) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/tcp)?$/.exec(entry);
    if (!match) return [];
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return ports.sort((a, b) => a - b);
}
