import { Readable } from "node:stream";
import type { ImageBuildOptions } from "dockerode";
import { DiploError } from "../../../errors.ts";
import type { BuildLine, BuildRequest } from "../container-runtime.ts";
import { parseImage } from "../image-reference.ts";
import { archMismatch, fits, type Platform } from "../platform.ts";
import { buildFailure, buildTimeout, failedBase, otherBase } from "./build-failure.ts";
import { BuildOutput } from "./build-output.ts";
import {
  GET_CREDENTIALS,
  GET_SECRET,
  openBuildSession,
  registryCredentials,
  secretStore,
} from "./build-session.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineDown } from "./engine-error.ts";
import { DIFF_COPY, fileSync } from "./file-sync.ts";
import { STALLED } from "./grpc.ts";
import { ignoreRules } from "./ignore-rules.ts";
import { image } from "./images.ts";
import { jsonLines } from "./json-lines.ts";
import { maskSecrets } from "./mask-secrets.ts";
import { BOX_LABEL } from "./ownership.ts";
import { packContext } from "./pack-context.ts";
import { resolveImage } from "./registry.ts";

/** Name of a generated Dockerfile. Only the tar puts it into the context, so it is one that nobody's tree has. */
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
  const output = new BuildOutput(
    (line) => {
      if (line.stream === "step" && !line.done) step = line.vertex;
      onLine(line);
    },
    maskSecrets(Object.values(request.secrets)),
  );
  try {
    await attempt(client, request, output, stopped);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) throw buildTimeout(request.deadline_ms, step);
    throw error instanceof DiploError ? error : engineDown("build", error);
  }
  if (output.error) throw await explained(client, output, request);
  const image_id = output.imageId ?? (await image(client, request.tag))?.id;
  if (!image_id) throw engineDown("build", new Error("the engine hung up before the build ended"));
  await checkFits(client, image_id);
  return { image_id };
}

/** A base image of a foreign architecture builds as well as any other, as long as nothing of it is run. */
async function checkFits(client: DockerClient, image_id: string): Promise<void> {
  const { info } = await client.engine();
  const built = await image(client, image_id);
  if (built && !fits([built], info))
    throw archMismatch("The image that was built", [built], info, otherBase(info));
}

/** Why it failed; of a base image that does not fit, its registry knows what it is made for. */
async function explained(
  client: DockerClient,
  output: BuildOutput,
  request: BuildRequest,
): Promise<DiploError> {
  const { info } = await client.engine();
  const failure = buildFailure(output, {
    engine: info,
    servers: request.registries.map(({ server }) => server),
  });
  const base = failedBase(output);
  if (failure.code !== "arch_mismatch" || base === undefined) return failure;
  const found = await platformsOf(client, base, request).catch(() => []);
  return found.length === 0 ? failure : archMismatch(`The base image ${base}`, found, info, otherBase(info));
}

async function platformsOf(
  client: DockerClient,
  base: string,
  { registries }: BuildRequest,
): Promise<Platform[]> {
  const { registry } = parseImage(base);
  const credential = registries.find(({ server }) => server === registry) ?? null;
  return (await resolveImage(client, base, credential, AbortSignal.timeout(5000))).platforms;
}

async function attempt(
  client: DockerClient,
  request: BuildRequest,
  output: BuildOutput,
  stopped: AbortSignal,
): Promise<void> {
  const { podman } = await client.engine();
  if (podman) return buildPodman(client, request, output, stopped);
  await buildKit(client, request, output, stopped, false);
  if (!output.error?.includes(STALLED)) return;
  client.log.warn("the build context's transfer stalled; sending it whole", { tag: request.tag });
  output.forget();
  await buildKit(client, request, output, stopped, true);
}

/** Podman's builder takes the whole context, and has no back channel for secrets: the steps run without them. */
async function buildPodman(
  client: DockerClient,
  request: BuildRequest,
  output: BuildOutput,
  stopped: AbortSignal,
): Promise<void> {
  const names = Object.keys(request.secrets).join(", ");
  if (names)
    output.onLine({
      vertex: null,
      stream: "stderr",
      text: `Podman has no build secrets; left out: ${names}`,
    });
  await perform(client, contextTar(request), query(client, request), request, output, stopped);
}

/**
 * BuildKit fetches what it needs through the session: files that changed since the last build, the Dockerfile, the
 * secrets. With `whole` the context goes up front as a tar, as the old builder has it.
 */
async function buildKit(
  client: DockerClient,
  request: BuildRequest,
  output: BuildOutput,
  stopped: AbortSignal,
  whole: boolean,
): Promise<void> {
  const { context, dockerfile } = request;
  const rules = await ignoreRules(
    context,
    "path" in dockerfile ? plain(dockerfile.path) : null,
    request.ignore,
  );
  const tree = { root: context, rules };
  const recipe = "text" in dockerfile ? { name: GENERATED, text: dockerfile.text } : tree;
  const services = {
    [GET_SECRET]: secretStore(request.secrets),
    [GET_CREDENTIALS]: registryCredentials(request.registries),
    ...(whole ? {} : { [DIFF_COPY]: fileSync({ context: tree, dockerfile: recipe }) }),
  };
  const session = await openBuildSession(client, sharedKey(request), services, stopped);
  try {
    // A number: the string "2" would make dockerode read .proto files from its own package on disk.
    const options = { ...query(client, request), version: 2, session: session.id };
    if (whole) await perform(client, contextTar(request), options, request, output, stopped);
    else await perform(client, undefined, { ...options, remote: "client-session" }, request, output, stopped);
  } finally {
    session.close();
  }
}

function contextTar({ context, dockerfile, ignore }: BuildRequest): Readable {
  const tar = packContext(context, {
    ignore,
    dockerfile: "path" in dockerfile ? plain(dockerfile.path) : null,
    inject: "text" in dockerfile ? [{ path: GENERATED, text: dockerfile.text }] : [],
  });
  return Readable.from(tar, { objectMode: false });
}

async function perform(
  client: DockerClient,
  body: Readable | undefined,
  options: Record<string, unknown>,
  request: BuildRequest,
  output: BuildOutput,
  stopped: AbortSignal,
): Promise<void> {
  // Without an archive dockerode would send the options as the body: hence _query and _body.
  const call = { _query: options, _body: {}, abortSignal: stopped } as unknown as ImageBuildOptions;
  const stream = (await client.call("build", (docker) => docker.buildImage(body as Readable, call), {
    timeoutMs: request.deadline_ms,
    signal: stopped,
  })) as Readable;
  stream.on("error", () => {});
  for await (const message of jsonLines(stream)) output.take(message);
}

/** `pull` is left out: the builder fetches base images that are missing, and only those. */
function query(client: DockerClient, request: BuildRequest): Record<string, unknown> {
  return {
    t: request.tag,
    dockerfile: "path" in request.dockerfile ? plain(request.dockerfile.path) : GENERATED,
    labels: { ...request.labels, [BOX_LABEL]: client.boxId },
    buildargs: request.args,
    nocache: request.no_cache,
    forcerm: true,
    ...(request.target ? { target: request.target } : {}),
    ...(request.platform ? { platform: request.platform } : {}),
  };
}

// Releases of one app differ little: they share the transferred context.
function sharedKey(request: BuildRequest): string {
  return request.tag.replace(/:[^:/]*$/, "");
}

function plain(path: string): string {
  return path.replace(/^(\.\/)+/, "");
}
