import type { Readable } from "node:stream";
import { DiploError } from "../../../errors.ts";
import type { Log } from "../../../log.ts";
import type {
  BuildLine,
  BuildRequest,
  ContainerRuntime,
  Endpoint,
  ImageFilesRequest,
  InstanceFacts,
  InstanceSpec,
  NetworkSpec,
  OwnerLabels,
  PullProgress,
  PullRequest,
  RegistryCredential,
  RunRequest,
  RuntimeInfo,
  RuntimeType,
} from "../container-runtime.ts";
import { buildImage } from "./build.ts";
import { type DockerClient, openDockerClient } from "./docker-client.ts";
import { runtimeEvents } from "./events.ts";
import { imageFiles } from "./image-files.ts";
import { forgetPulled, image, listImages, removeImage, tagImage } from "./images.ts";
import {
  inspectInstance,
  listInstances,
  removeInstance,
  startAgain,
  startInstance,
  stopInstance,
} from "./instances.ts";
import { listeningPorts } from "./listening.ts";
import { instanceLogs, type LogOptions } from "./logs.ts";
import { ensureNetwork, listNetworks, removeNetwork, subnets } from "./networks.ts";
import { ownTag } from "./ownership.ts";
import { pullImage } from "./pull.ts";
import { checkRegistry, resolveImage } from "./registry.ts";
import { runOnce } from "./run.ts";
import { instanceStats } from "./stats.ts";
import { Turns } from "./turns.ts";
import { ensureVolume, listVolumes, removeVolume } from "./volumes.ts";

export interface DockerConnection {
  /** `unix:///path` or `tcp://host:port`. */
  address: string;
  /** Everything made bears it as `diplo.box`; nothing else is touched. */
  boxId: string;
  log: Log;
  type?: RuntimeType;
}

/**
 * A runtime for the engine at this address. An engine that is down is no reason to fail: each call then throws
 * `engine_down`, and once it is up they work. Throws `bad_engine_address`.
 */
export async function connectDocker({ address, boxId, log, type }: DockerConnection): Promise<DockerRuntime> {
  return new DockerRuntime(await openDockerClient(address, boxId, log), type ?? "docker");
}

/** Docker Engine, and Podman through its Docker-compatible socket. */
export class DockerRuntime implements ContainerRuntime {
  private readonly pulls = new Turns();

  constructor(
    private readonly client: DockerClient,
    readonly type: RuntimeType,
  ) {}

  async info(): Promise<RuntimeInfo> {
    return (await this.client.engine()).info;
  }

  subnets() {
    return subnets(this.client);
  }
  ensureNetwork(spec: NetworkSpec) {
    return ensureNetwork(this.client, spec);
  }
  removeNetwork(name: string) {
    return removeNetwork(this.client, name);
  }
  listNetworks() {
    return listNetworks(this.client);
  }

  ensureVolume(name: string, labels: OwnerLabels) {
    return ensureVolume(this.client, name, labels);
  }
  removeVolume(name: string) {
    return removeVolume(this.client, name);
  }
  listVolumes() {
    return listVolumes(this.client);
  }

  build(request: BuildRequest, onLine: (line: BuildLine) => void, signal: AbortSignal) {
    return buildImage(this.client, request, onLine, signal);
  }
  resolveImage(image: string, credential: RegistryCredential | null, signal: AbortSignal) {
    return resolveImage(this.client, image, credential, signal);
  }
  pull(request: PullRequest, onProgress: (progress: PullProgress) => void, signal: AbortSignal) {
    // One pull takes the registry's name away at its end: another of the same image must not look for it just then.
    return this.pulls.run(request.image, signal, () => pullImage(this.client, request, onProgress, signal));
  }
  forgetPulled(name: string) {
    return forgetPulled(this.client, name);
  }
  checkRegistry(credential: RegistryCredential, signal: AbortSignal) {
    return checkRegistry(this.client, credential, signal);
  }
  imageTag(app: string, deployment: string) {
    return ownTag(this.client.boxId, app, deployment);
  }
  tagImage(reference: string, tag: string) {
    return tagImage(this.client, reference, tag);
  }
  image(reference: string) {
    return image(this.client, reference);
  }
  listImages() {
    return listImages(this.client);
  }
  removeImage(reference: string) {
    return removeImage(this.client, reference);
  }
  imageFiles<T>(request: ImageFilesRequest, read: (tar: Readable) => Promise<T>, signal: AbortSignal) {
    return imageFiles(this.client, request, read, signal);
  }

  start(spec: InstanceSpec) {
    return startInstance(this.client, spec);
  }
  startAgain(name: string) {
    return startAgain(this.client, name);
  }
  stop(name: string, grace_s: number) {
    return stopInstance(this.client, name, grace_s);
  }
  remove(name: string) {
    return removeInstance(this.client, name);
  }
  inspect(name: string) {
    return inspectInstance(this.client, name);
  }
  list(filter?: Partial<OwnerLabels>) {
    return listInstances(this.client, filter);
  }

  logs(name: string, options: LogOptions) {
    return instanceLogs(this.client, name, options);
  }
  run(request: RunRequest, signal: AbortSignal) {
    return runOnce(this.client, request, signal);
  }
  listening(name: string) {
    return listeningPorts(this.client, name);
  }
  stats(name: string) {
    return instanceStats(this.client, name);
  }
  events(signal: AbortSignal) {
    return runtimeEvents(this.client, signal);
  }

  /** A container with a published loopback port is reached there; every other at its own address. */
  endpoint(facts: Pick<InstanceFacts, "address" | "host_port">, port: number): Endpoint {
    if (facts.host_port !== null) return { node: "local", host: "127.0.0.1", port: facts.host_port };
    if (facts.address !== null) return { node: "local", host: facts.address, port };
    throw new DiploError("engine_refused", "the container has no address");
  }

  async close(): Promise<void> {}
}
