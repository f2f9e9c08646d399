import { DiploError } from "../../../errors.ts";
import type { ImageFacts, PullProgress, PullRequest } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { EngineRefusal, engineDown } from "./engine-error.ts";
import { forgetPulled, image, tagImage } from "./images.ts";
import { jsonLines } from "./json-lines.ts";
import { PullCount } from "./pull-count.ts";
import { authHeader } from "./registry.ts";
import { registryFailure } from "./registry-failure.ts";

const TELL_EVERY_MS = 250;

/** Pulls by digest, gives the image a name of ours, and takes the registry's name away again where the pull made it. */
export async function pullImage(
  client: DockerClient,
  request: PullRequest,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<ImageFacts> {
  await receive(client, request, onProgress, signal);
  const pulled = await image(client, request.image);
  if (!pulled) throw engineDown("pull", new Error("the engine hung up before the pull ended"));
  const tagged = await tagImage(client, pulled.id, request.tag);
  if (!request.keep_name) await forgetPulled(client, request.image);
  return tagged;
}

async function receive(
  client: DockerClient,
  { image, credential }: PullRequest,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const [fromImage, tag] = image.split("@");
  const query = { fromImage, tag };
  const call = { method: "POST" as const, path: "/images/create", query, headers: authHeader(credential) };
  const count = new PullCount();
  // The newest is told even when nothing follows it: a transfer that stalls must not look as if it had never begun.
  let telling: ReturnType<typeof setTimeout> | null = null;
  const tell = () => {
    telling = null;
    onProgress(count.progress());
  };
  try {
    for await (const line of jsonLines(await client.stream("pull", call, signal))) {
      if (line.error) throw registryFailure(image, String(line.error), credential !== null);
      count.take(line);
      telling ??= setTimeout(tell, TELL_EVERY_MS);
    }
    tell();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineRefusal) throw registryFailure(image, error.words, credential !== null);
    throw error instanceof DiploError ? error : engineDown("pull", error);
  } finally {
    if (telling) clearTimeout(telling);
  }
  signal.throwIfAborted();
}
