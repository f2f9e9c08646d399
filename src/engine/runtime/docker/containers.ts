import type { DockerClient } from "./docker-client.ts";
import { EngineRefusal, refusedWith } from "./engine-error.ts";
import type { ContainerBody } from "./instance-body.ts";
import type { InspectedContainer } from "./instance-facts.ts";
import { isOurs, notOurs } from "./ownership.ts";

/** The engine allows itself this long beyond the grace it was given. */
const STOP_SLACK_MS = 30_000;

/** null when the engine has none of this name or id. */
export async function inspectContainer(
  client: DockerClient,
  name: string,
): Promise<InspectedContainer | null> {
  try {
    const found = await client.call("inspect container", (docker, abortSignal) =>
      docker.getContainer(name).inspect({ abortSignal }),
    );
    return found as unknown as InspectedContainer;
  } catch (error) {
    if (refusedWith(error, 404)) return null;
    throw error;
  }
}

/** The same for a name of ours: `not_ours` when somebody else has it. */
export async function ownContainer(client: DockerClient, name: string): Promise<InspectedContainer | null> {
  const container = await inspectContainer(client, name);
  if (container && !isOurs(client.boxId, container.Config.Labels)) throw notOurs("container", name);
  return container;
}

/** Creates a container; false when the name is taken. */
export async function createContainer(
  client: DockerClient,
  name: string,
  body: ContainerBody,
): Promise<boolean> {
  // dockerode would put the whole body, environment included, into the URL as well: hence _query and _body.
  const request = { _query: { name }, _body: body };
  try {
    await client.call("create container", (docker, abortSignal) =>
      docker.createContainer({ ...request, abortSignal } as unknown as ContainerBody),
    );
    return true;
  } catch (error) {
    if (nameTaken(error)) return false;
    throw error;
  }
}

// Podman says so with status 500.
function nameTaken(error: unknown): boolean {
  return (
    refusedWith(error, 409) ||
    (error instanceof EngineRefusal && /name .* is already in use/.test(error.words))
  );
}

/** SIGTERM, SIGKILL after the grace (null: the container's own). Absent or stopped is fine. */
export async function stopContainer(client: DockerClient, id: string, graceS: number | null): Promise<void> {
  const options = graceS === null ? {} : { t: graceS };
  const timeoutMs = (graceS ?? 600) * 1000 + STOP_SLACK_MS;
  await client
    .call(
      "stop container",
      (docker, abortSignal) => docker.getContainer(id).stop({ ...options, abortSignal }),
      {
        timeoutMs,
      },
    )
    .catch(unless(304, 404));
}

/** Kills and removes, with volumes that have no name: nothing could ever mount those again. Answers once it is gone. */
export async function removeContainer(client: DockerClient, id: string): Promise<void> {
  const removed = await client
    .call("remove container", (docker, abortSignal) =>
      docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
    )
    .then(() => true, unless(404, 409));
  // 409: somebody is removing it right now.
  if (removed !== true) await awaitGone(client, id);
}

/** Handler for answers that mean "already so". */
export function unless(...statuses: number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.some((status) => refusedWith(error, status))) throw error;
  };
}

async function awaitGone(client: DockerClient, id: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(50))
    if (!(await inspectContainer(client, id))) return;
  await client.call("remove container", (docker, abortSignal) =>
    docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
  );
}
