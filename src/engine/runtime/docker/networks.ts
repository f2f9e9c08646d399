import { conflict, type DiploError } from "../../../errors.ts";
import { dynamicRange, gatewayOf } from "../../network/address-plan.ts";
import type { NetworkSpec } from "../container-runtime.ts";
import type { DockerClient } from "./docker-client.ts";
import { EngineRefusal, refusedWith } from "./engine-error.ts";
import { engineLabels, isOurs, labelFilter, notOurs } from "./ownership.ts";

/** One network as the engine lists it. */
interface ListedNetwork {
  Id: string;
  Name: string;
  Labels?: Record<string, string> | null;
  IPAM?: { Config?: { Subnet?: string }[] | null } | null;
}

/** CIDRs of every network of the engine, ours or not. IPv4 only: the pool is. */
export async function subnets(client: DockerClient): Promise<string[]> {
  const networks = await listed(client, {});
  return networks.flatMap((network) => (network.IPAM?.Config ?? []).map(subnetOf)).filter(isIPv4);
}

/** Makes the network unless it is there. `network_differs`: the name is ours but has another subnet. */
export async function ensureNetwork(client: DockerClient, spec: NetworkSpec): Promise<void> {
  const existing = await find(client, spec.name);
  if (existing) return checkSame(client, existing, spec);
  const body = {
    Name: spec.name,
    Driver: "bridge",
    CheckDuplicate: true,
    // One-off containers take an address from the range; recorded addresses lie outside it.
    IPAM: {
      Config: [{ Subnet: spec.subnet, Gateway: gatewayOf(spec.subnet), IPRange: dynamicRange(spec.subnet) }],
    },
    Labels: engineLabels(client.boxId, spec.labels),
  };
  try {
    await client.call("create network", (docker, abortSignal) =>
      docker.createNetwork({ ...body, abortSignal }),
    );
  } catch (error) {
    const made = refusedWith(error, 409) ? await find(client, spec.name) : null;
    if (made) return checkSame(client, made, spec);
    throw subnetTaken(error, spec);
  }
}

export async function removeNetwork(client: DockerClient, name: string): Promise<void> {
  const existing = await find(client, name);
  if (!existing) return;
  if (!isOurs(client.boxId, existing.Labels)) throw notOurs("network", name);
  await refuseAttached(client, name);
  try {
    await client.call("remove network", (docker, abortSignal) =>
      docker.getNetwork(existing.Id).remove({ abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, 404)) return;
    if (error instanceof EngineRefusal && /active endpoints|in use|being used/i.test(error.words))
      throw inUse(name);
    throw error;
  }
}

// Podman takes a network away from running containers without a word.
async function refuseAttached(client: DockerClient, name: string): Promise<void> {
  if (!(await client.engine()).podman) return;
  const attached: unknown = await client.call("list containers", (docker, abortSignal) =>
    docker.listContainers({ filters: { network: [name] }, abortSignal }),
  );
  if (Array.isArray(attached) && attached.length > 0) throw inUse(name);
}

function inUse(name: string): DiploError {
  return conflict("network_in_use", `network "${name}" still has running instances`);
}

export async function listNetworks(client: DockerClient) {
  const networks = await listed(client, labelFilter(client.boxId));
  return networks.map((network) => ({
    name: network.Name,
    subnet: subnetOf(network.IPAM?.Config?.[0]) || null,
    labels: network.Labels ?? {},
  }));
}

async function find(client: DockerClient, name: string): Promise<ListedNetwork | null> {
  // The filter matches parts of names.
  const networks = await listed(client, { name: [name] });
  return networks.find((network) => network.Name === name) ?? null;
}

async function listed(client: DockerClient, filters: Record<string, string[]>): Promise<ListedNetwork[]> {
  const answer: unknown = await client.call("list networks", (docker, abortSignal) =>
    docker.listNetworks({ filters, abortSignal }),
  );
  return Array.isArray(answer) ? answer : [];
}

function checkSame(client: DockerClient, network: ListedNetwork, spec: NetworkSpec): void {
  if (!isOurs(client.boxId, network.Labels)) throw notOurs("network", spec.name);
  const subnet = subnetOf(network.IPAM?.Config?.[0]);
  if (subnet !== spec.subnet)
    throw conflict("network_differs", `network "${spec.name}" has subnet ${subnet}, not ${spec.subnet}`);
}

function subnetTaken(error: unknown, spec: NetworkSpec): unknown {
  if (!(error instanceof EngineRefusal) || !/overlaps|already (in use|used)/i.test(error.words)) return error;
  return conflict("subnet_taken", `subnet ${spec.subnet} overlaps another network: ${error.words}`);
}

function subnetOf(config: { Subnet?: string } | undefined): string {
  return config?.Subnet ?? "";
}

function isIPv4(cidr: string): boolean {
  return cidr !== "" && !cidr.includes(":");
}
