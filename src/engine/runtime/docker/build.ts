import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { ImageBuildOptions } from "dockerode";
import { DiploError } from "../../../errors.ts";
import type { BuildLine, BuildRequest } from "../container-runtime.ts";
import { buildFailure, buildTimeout } from "./build-failure.ts";
import { BuildOutput } from "./build-output.ts";
import { openBuildSession } from "./build-session.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineDown } from "./engine-error.ts";
import { image } from "./images.ts";
import { jsonLines } from "./json-lines.ts";
import { BOX_LABEL } from "./ownership.ts";
import { packContext } from "./pack-context.ts";

/** Where a generated Dockerfile goes in the archive: a name that nobody's tree has. */
const GENERATED = ".diplo.Dockerfile";

/** Builds and tags an image. Codes: build_failed, build_timeout, build_oom, disk_full, image_not_found, engine_down. */
export async function buildImage(
  client: DockerClient,
  request: BuildRequest,
  onLine: (line: BuildLine) => void,
  signal: AbortSignal,
): Promise<{ image_id: string }> {
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(request.deadline_ms);
  const stopped = AbortSignal.any([signal, deadline]);
  let step: string | null = null;
  const output = new BuildOutput((line) => {
    if (line.stream === "step" && !line.done) step = line.vertex;
    onLine(line);
  });
  try {
    await perform(client, request, output, stopped);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) throw buildTimeout(request.deadline_ms, step);
    throw error instanceof DiploError ? error : engineDown("build", error);
  }
  if (output.error) throw buildFailure(output);
  const image_id = output.imageId ?? (await image(client, request.tag))?.id;
  if (!image_id) throw engineDown("build", new Error("the engine hung up before the build ended"));
  return { image_id };
}

async function perform(
  client: DockerClient,
  request: BuildRequest,
  output: BuildOutput,
  stopped: AbortSignal,
): Promise<void> {
  const engine = await client.engine();
  const session =
    engine.podman || Object.keys(request.secrets).length === 0
      ? null
      : await openBuildSession(client, request.secrets, stopped);
  try {
    const context = Readable.from(packContext(request.context, contextOptions(request)), {
      objectMode: false,
    });
    const options = {
      ...query(client, request, session?.id),
      abortSignal: stopped,
    } as unknown as ImageBuildOptions;
    const stream = (await client.call("build", (docker) => docker.buildImage(context, options), {
      timeoutMs: request.deadline_ms,
      signal: stopped,
    })) as Readable;
    stream.on("error", () => {});
    for await (const message of jsonLines(stream)) output.take(message);
  } finally {
    session?.close();
  }
}

function contextOptions(request: BuildRequest) {
  const { dockerfile } = request;
  if ("path" in dockerfile) return { dockerfile: dockerfile.path.replace(/^\.\//, ""), inject: [] };
  return { dockerfile: null, inject: [{ path: GENERATED, text: dockerfile.text }] };
}

/** `pull` is left out: the builder fetches base images that are missing, and only those. */
function query(client: DockerClient, request: BuildRequest, session: string | undefined) {
  return {
    // A number: the string "2" would make dockerode read .proto files from its own package on disk.
    version: 2,
    t: request.tag,
    dockerfile: "path" in request.dockerfile ? request.dockerfile.path : GENERATED,
    labels: { ...request.labels, [BOX_LABEL]: client.boxId },
    buildargs: request.args,
    // Names the build, so that it can be told from others.
    buildid: randomUUID(),
    nocache: request.no_cache,
    forcerm: true,
    ...(request.target ? { target: request.target } : {}),
    ...(session ? { session } : {}),
  };
}
