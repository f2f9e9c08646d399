import { DiploError, PermanentError } from "../../../errors.ts";
import type { RegistryCredential, ResolvedImage } from "../container-runtime.ts";
import { loginServer } from "../image-reference.ts";
import type { Platform } from "../platform.ts";
import type { DockerClient } from "./docker-client.ts";
import { EngineRefusal } from "./engine-error.ts";
import { registryFailure, signInRefused, unanswered } from "./registry-failure.ts";

/** A registry that has not answered by then is away; a deployment tries again. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * How credentials go to the engine: in a header of the call that needs them (engine API, X-Registry-Auth). The
 * alphabet is that of URLs, with padding: without it engines take the header for an empty one.
 */
export function authHeader(credential: RegistryCredential | null): Record<string, string> {
  if (credential === null) return {};
  const base64 = Buffer.from(JSON.stringify(login(credential))).toString("base64");
  return { "X-Registry-Auth": base64.replaceAll("+", "-").replaceAll("/", "_") };
}

/** `GET /distribution/{name}/json`: the digest of a name, and what the image behind it runs on. */
export async function resolveImage(
  client: DockerClient,
  image: string,
  credential: RegistryCredential | null,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  // Podman's socket has no such call, and says "not found" of the call as it would of the image.
  if ((await client.engine()).podman) throw cannotLookUp(image);
  const path = `/distribution/${image}/json`;
  const request = { method: "GET" as const, path, headers: authHeader(credential) };
  const answer = await asked(
    signal,
    () => unanswered(image),
    async (limit) => {
      try {
        return await new Response((await client.stream("ask the registry", request, limit)) as never).text();
      } catch (error) {
        if (error instanceof EngineRefusal) throw registryFailure(image, error.words, credential !== null);
        throw error;
      }
    },
  );
  return resolved(JSON.parse(answer));
}

function cannotLookUp(image: string): PermanentError {
  return new PermanentError("runtime_unavailable", `podman cannot look ${image} up`, {
    detail:
      "Podman's socket cannot ask a registry what an image's name stands for, so Diplo pulls nothing with it.",
    hint: "Use Docker Engine; or bring the image here (podman pull) and deploy it with the setting pull_policy never.",
  });
}

/** `POST /auth`: the engine signs in and keeps nothing. */
export function checkRegistry(
  client: DockerClient,
  credential: RegistryCredential,
  signal: AbortSignal,
): Promise<void> {
  const { server } = credential;
  return asked(
    signal,
    () => unanswered(`${server}/sign/in`),
    async (limit) => {
      try {
        await client.call("sign in", (docker) => docker.checkAuth(login(credential)), { signal: limit });
      } catch (error) {
        if (error instanceof EngineRefusal) throw signInRefused(server, error.words);
        throw error;
      }
    },
  );
}

const login = ({ server, username, password }: RegistryCredential) => ({
  username,
  password,
  serveraddress: loginServer(server),
});

/** Does it within the limit; the asker's own leaving is told apart from the registry's silence. */
async function asked<T>(
  signal: AbortSignal,
  late: () => DiploError,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    return await work(AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted && !(error instanceof DiploError)) throw late();
    throw error;
  }
}

interface Distribution {
  Descriptor?: { digest?: string };
  Platforms?: { architecture?: string; os?: string; variant?: string }[] | null;
}

function resolved({ Descriptor, Platforms }: Distribution): ResolvedImage {
  if (!Descriptor?.digest)
    throw new DiploError("engine_refused", "the engine names no digest", { status: 502 });
  return { digest: Descriptor.digest, platforms: (Platforms ?? []).flatMap(platformOf) };
}

// Attestations stand in an index as images for unknown/unknown.
function platformOf({
  architecture,
  os,
  variant,
}: NonNullable<Distribution["Platforms"]>[number]): Platform[] {
  if (!architecture || !os || architecture === "unknown") return [];
  return [{ os, architecture, ...(variant ? { variant } : {}) }];
}
