import { conflict, DiploError } from "../../../errors.ts";
import type { ImageFacts } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { refusedWith } from "./engine-error.ts";
import { mapLimited } from "./map-limited.ts";
import { isOurs, isOwnTag, labelFilter, notOurs, ownTagPattern } from "./ownership.ts";

/** The fields of an image's inspection that are read. */
interface InspectedImage {
  Id: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
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

/** Images that builds of this box made, and pulled ones by the names this box gave them. */
export async function listImages(client: DockerClient): Promise<ImageFacts[]> {
  const { boxId } = client;
  const built = await imageIds(client, labelFilter(boxId));
  const named = await imageIds(client, { reference: [ownTagPattern(boxId)] });
  const facts = await mapLimited([...new Set([...built, ...named])], (id) => image(client, id));
  return facts
    .filter((found) => found !== null)
    .map((found) =>
      isOurs(boxId, found.labels)
        ? found
        : { ...found, tags: found.tags.filter((tag) => isOwnTag(boxId, tag)) },
    );
}

async function imageIds(client: DockerClient, filters: Record<string, string[]>): Promise<string[]> {
  const listed: unknown = await client.call("list images", (docker, abortSignal) =>
    docker.listImages({ filters, abortSignal }),
  );
  return (Array.isArray(listed) ? listed : []).map((entry: { Id: string }) => entry.Id);
}

/** Takes the tag (or id) away, the layers with the last one. Absent is fine; `image_in_use` while a container has it. */
export async function removeImage(client: DockerClient, reference: string): Promise<void> {
  const found = await image(client, reference);
  if (!found) return;
  if (!isOurs(client.boxId, found.labels) && !isOwnTag(client.boxId, reference))
    throw notOurs("image", reference);
  await untag(client, reference);
}

/** Names an image that is there. */
export async function tagImage(client: DockerClient, reference: string, tag: string): Promise<ImageFacts> {
  if (!isOwnTag(client.boxId, tag)) throw notOurs("image", tag);
  const [repo = "", name] = tag.split(":");
  await client.call("tag image", (docker, abortSignal) =>
    docker.getImage(reference).tag({ repo, tag: name, abortSignal }),
  );
  const tagged = await image(client, tag);
  if (!tagged)
    throw new DiploError("engine_refused", `the engine did not name ${reference}`, { status: 502 });
  return tagged;
}

/** Takes a name by digest away. The image goes with its last name, and stays while a container has it. */
export async function forgetPulled(client: DockerClient, name: string): Promise<void> {
  if (!name.includes("@sha256:")) throw notOurs("image", name);
  await untag(client, name);
}

async function untag(client: DockerClient, reference: string): Promise<void> {
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
    digests: image.RepoDigests ?? [],
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
