import { DiploError, PermanentError } from "../../../errors.ts";
import type { InstanceFacts, InstanceSpec, OwnerLabels } from "../container-runtime.ts";
import {
  createContainer,
  inspectContainer,
  ownContainer,
  removeContainer,
  stopContainer,
  unless,
} from "./containers.ts";
import type { DockerClient } from "./docker-client.ts";
import { EngineRefusal } from "./engine-error.ts";
import { freeLoopbackPort } from "./free-loopback-port.ts";
import { fingerprint, instanceBody } from "./instance-body.ts";
import { type InspectedContainer, instancesFacts } from "./instance-facts.ts";
import { mapLimited } from "./map-limited.ts";
import { labelFilter, SPEC_LABEL } from "./ownership.ts";
import { startRefusal } from "./start-refusal.ts";

const ATTEMPTS = 10;
/** The engine reserves a name a moment before the container can be seen. */
const UNSEEN_MS = 50;

/**
 * Makes the container if it does not exist yet and starts it unless it runs: on the straight path create, start,
 * inspect. It creates first and looks only when the name is taken, so two callers at once are no special case.
 */
export async function startInstance(client: DockerClient, spec: InstanceSpec): Promise<InstanceFacts> {
  const engine = await client.engine();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = engine.bridgeReachable || spec.port === null ? null : await freeLoopbackPort();
    const body = instanceBody(spec, client.boxId, engine, port);
    const created = await createContainer(client, spec.name, body).catch((error) => {
      throw startRefusal(error, spec);
    });
    const running = created ? null : await settleExisting(client, spec);
    if (running === "removed") continue;
    if (running) return running;
    const started = await startExisting(client, spec.name, spec);
    if (started) return started;
  }
  throw new DiploError("engine_refused", `container "${spec.name}" keeps vanishing while it is started`);
}

/** Starts an existing, stopped container again. `instance_not_found` when it is gone. */
export async function startAgain(client: DockerClient, name: string): Promise<InstanceFacts> {
  const started = (await ownContainer(client, name)) && (await startExisting(client, name, null));
  if (!started)
    throw new PermanentError("instance_not_found", `container "${name}" does not exist any more`, {
      status: 404,
    });
  return started;
}

export async function stopInstance(client: DockerClient, name: string, graceS: number): Promise<void> {
  const container = await ownContainer(client, name);
  if (container && isUp(container)) await stopContainer(client, container.Id, graceS);
}

/** Stops with the container's own grace, then removes it. Named volumes stay. */
export async function removeInstance(client: DockerClient, name: string): Promise<void> {
  const container = await ownContainer(client, name);
  if (!container) return;
  if (isUp(container)) await stopContainer(client, container.Id, null);
  await removeContainer(client, container.Id);
}

export async function inspectInstance(client: DockerClient, name: string): Promise<InstanceFacts | null> {
  const container = await ownContainer(client, name);
  return container && factsOf(container);
}

/** Every container of this box that bears these labels. The engine's listing lacks exit codes, so each is inspected. */
export async function listInstances(
  client: DockerClient,
  labels: Partial<OwnerLabels> = {},
): Promise<InstanceFacts[]> {
  const filters = labelFilter(client.boxId, labels);
  const answer: unknown = await client.call("list containers", (docker, abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  const ids = (Array.isArray(answer) ? answer : []).map((entry: { Id: string }) => entry.Id);
  const found = await mapLimited(ids, (id) => inspectContainer(client, id));
  return instancesFacts(found.filter((container) => container !== null));
}

/** What to do with a container that already has the name: it serves, it can be started (null), or it had to go. */
async function settleExisting(
  client: DockerClient,
  spec: InstanceSpec,
): Promise<InstanceFacts | "removed" | null> {
  const container = await ownContainer(client, spec.name);
  if (!container) {
    await Bun.sleep(UNSEEN_MS);
    return "removed";
  }
  const same = container.Config.Labels?.[SPEC_LABEL] === fingerprint(spec);
  if (isUp(container)) {
    if (!same)
      client.log.warn("a running container differs from what was asked for", { container: spec.name });
    return factsOf(container);
  }
  if (same && /^(created|exited)$/.test(container.State.Status)) return null;
  await removeContainer(client, container.Id);
  return "removed";
}

/** null when the container vanished in between, or can never start again. */
async function startExisting(
  client: DockerClient,
  name: string,
  spec: InstanceSpec | null,
): Promise<InstanceFacts | null> {
  try {
    await client
      .call("start container", (docker, abortSignal) => docker.getContainer(name).start({ abortSignal }))
      .catch(unless(304));
  } catch (error) {
    const container = await inspectContainer(client, name);
    if (!container) return null;
    if (spec === null || !lostNetwork(error)) throw startRefusal(error, spec);
    await removeContainer(client, container.Id);
    return null;
  }
  const container = await inspectContainer(client, name);
  return container && factsOf(container);
}

// A container is bound to its network by id: once that is removed, one made again under the same name does not help.
function lostNetwork(error: unknown): boolean {
  return error instanceof EngineRefusal && /network [0-9a-f]{64} not found/i.test(error.words);
}

function factsOf(container: InspectedContainer): InstanceFacts {
  return instancesFacts([container])[0] as InstanceFacts;
}

function isUp(container: InspectedContainer): boolean {
  return /^(running|restarting|paused)$/.test(container.State.Status);
}
