/**
 * The one interface over every engine (Docker now; Swarm, LXC, containerd later). Its types are product nouns:
 * nothing above this folder knows what an engine's API looks like.
 *
 * Every call takes a deadline of its own and settles: an engine that is down, hangs or cuts its answer midway
 * throws `engine_down` (a DiploError, worth retrying), never waits for ever. Everything made bears `diplo.box`,
 * and nothing without this box's id is ever listed, stopped or removed.
 */
import type { Readable } from "node:stream";
import type { Platform } from "./platform.ts";

export type RuntimeType = "docker" | "podman" | "containerd" | "lxc" | "swarm";

export interface RuntimeInfo {
  type: RuntimeType;
  /** Where it was found, e.g. `unix:///var/run/docker.sock`. */
  address: string;
  version: string;
  api_version: string;
  os: string;
  /** As images spell it: `amd64`, `arm64`. */
  architecture: string;
  rootless: boolean;
  cpus: number;
  memory_bytes: number;
  available: boolean;
  /** Why it is not available, or what is missing, in one sentence. */
  reason: string | null;
  /** What really works here: `memory_limit`, `cpu_limit`, `pids_limit`, `buildkit`, `bridge_address` … */
  capabilities: string[];
  warnings: string[];
}

/** Labels of everything Diplo makes (design.md §7). `box` is added by the runtime itself. */
export interface OwnerLabels {
  app: string;
  environment: string;
  environment_id: string;
  process?: string;
  release?: string;
  deployment?: string;
  instance?: string;
}

export interface NetworkSpec {
  name: string;
  /** IPv4 CIDR, /26, from the box's pool. */
  subnet: string;
  labels: OwnerLabels;
}

export interface InstanceSpec {
  /** Container name; the same name means the same instance (creating is idempotent). */
  name: string;
  image: string;
  labels: OwnerLabels;
  network: string;
  /** Recorded static address inside the network's subnet. */
  address: string;
  /** Reached as this host name by its siblings, e.g. the process name. */
  aliases: string[];
  /** Port the app listens on, for engines whose bridge the host cannot reach. null for workers. */
  port: number | null;
  /** null = the image's own CMD; otherwise argv, run without a shell. */
  command: string[] | null;
  env: Record<string, string>;
  mounts: { volume: string; path: string; read_only: boolean }[];
  limits: Limits;
  /** Ours: all capabilities dropped, read-only root with tmpfs. Foreign images: NET_RAW, MKNOD, AUDIT_WRITE dropped. */
  hardened: boolean;
  restart: "on-failure" | "no";
  stop_grace_s: number;
}

export interface Limits {
  memory_bytes: number;
  /** Cores, e.g. 0.5; null = no limit. */
  cpus: number | null;
  pids: number;
}

/** What the engine says of one container: evidence, not truth. */
export interface InstanceFacts {
  container_id: string;
  name: string;
  labels: Record<string, string>;
  state: "created" | "running" | "restarting" | "paused" | "exited" | "dead";
  image_id: string;
  address: string | null;
  /** Loopback port on engines without a reachable bridge. */
  host_port: number | null;
  exit_code: number | null;
  oom_killed: boolean;
  restart_count: number;
  started_at: number | null;
  finished_at: number | null;
  pid: number | null;
  /** The engine's own words when it could not start it. */
  error: string | null;
}

export interface Endpoint {
  node: string;
  host: string;
  port: number;
}

export interface ImageFacts {
  id: string;
  tags: string[];
  /** Names by which registries gave it: `ghcr.io/you/app@sha256:…`. */
  digests: string[];
  architecture: string;
  os: string;
  size_bytes: number;
  exposed_ports: number[];
  volumes: string[];
  user: string;
  command: string[];
  entrypoint: string[];
  labels: Record<string, string>;
  created_at: number;
}

/** Who one is at a registry. Opened from the vault for one call. */
export interface RegistryCredential {
  /** Host and port; `docker.io` for Docker Hub. */
  server: string;
  username: string;
  password: string;
}

/** What a name stands for at its registry right now. */
export interface ResolvedImage {
  /** Of the index, when there is one: each engine takes its own variant of it. */
  digest: string;
  platforms: Platform[];
}

export interface PullRequest {
  /** Name and digest: `ghcr.io/you/app@sha256:…`. */
  image: string;
  /** What it is called from then on; one of `imageTag`. */
  tag: string;
  /** The engine had it by that name before: it is somebody else's name too, and stays. */
  keep_name: boolean;
  credential: RegistryCredential | null;
}

export interface PullProgress {
  /** One line, e.g. `pulling: 12.3 of 45.6 MB`. */
  message: string;
  received_bytes: number;
  /** Of the layers whose size is known so far. */
  total_bytes: number;
}

export interface BuildRequest {
  /** Directory whose content is the build context (its .dockerignore is honoured). */
  context: string;
  /** Lines read after those of the .dockerignore; they win. */
  ignore?: string[];
  /** Path inside the context, or a generated text. */
  dockerfile: { path: string } | { text: string };
  tag: string;
  labels: Record<string, string>;
  args: Record<string, string>;
  target: string | null;
  /** As in `linux/arm64`; null = the engine's own. */
  platform?: string | null;
  /** Available to `RUN --mount=type=secret,id=…` only; never in a layer, argument or history. */
  secrets: Record<string, string>;
  /** For base images; each is told to its own registry only. */
  registries: RegistryCredential[];
  no_cache: boolean;
  deadline_ms: number;
}

export interface BuildLine {
  /** Build step, e.g. `[2/5] RUN npm ci`; null for messages of the builder itself. */
  vertex: string | null;
  stream: "stdout" | "stderr" | "step";
  text: string;
  /** Set on the line that ends a step. */
  done?: { cached: boolean; duration_ms: number; error: string | null };
}

export interface LogLine {
  /** ISO time with nanoseconds, as the engine stamped it. */
  at: string;
  stream: "stdout" | "stderr";
  text: string;
}

export interface RunRequest {
  spec: Omit<InstanceSpec, "address" | "restart"> & { address: string | null };
  tty: boolean;
  stdin: ReadableStream<Uint8Array> | null;
  onOutput: (chunk: Uint8Array, stream: "stdout" | "stderr") => void;
  deadline_ms: number;
}

export interface ImageFilesRequest {
  /** Of the container that the engine may need for it; nothing in it is ever started. */
  name: string;
  image: string;
  /** Absolute path of a directory of the image. */
  path: string;
  labels: OwnerLabels;
}

export interface RuntimeEvent {
  type: "start" | "die" | "oom" | "destroy" | "health";
  container_id: string;
  labels: Record<string, string>;
  at: number;
  exit_code: number | null;
  /** Of `die`: the kernel ended it for want of memory. */
  oom_killed: boolean;
}

export interface ContainerRuntime {
  readonly type: RuntimeType;
  info(): Promise<RuntimeInfo>;

  /** CIDRs of every network of the engine, ours or not: the address plan stays clear of them. */
  subnets(): Promise<string[]>;
  ensureNetwork(spec: NetworkSpec): Promise<void>;
  /** Absent is fine. Refused by the engine while instances are attached. */
  removeNetwork(name: string): Promise<void>;
  listNetworks(): Promise<{ name: string; subnet: string | null; labels: Record<string, string> }[]>;

  ensureVolume(name: string, labels: OwnerLabels): Promise<void>;
  removeVolume(name: string): Promise<void>;
  listVolumes(): Promise<{ name: string; labels: Record<string, string> }[]>;

  /**
   * Builds and tags an image; the answer is its id. `build_failed` carries the failing step and the last lines,
   * `build_timeout`, `build_oom`, `disk_full` say what they say. Aborting the signal stops the running step.
   */
  build(
    request: BuildRequest,
    onLine: (line: BuildLine) => void,
    signal: AbortSignal,
  ): Promise<{ image_id: string }>;
  /** Asks the registry. `image_not_found`, `auth_failed`, and worth retrying: `registry_unreachable`. */
  resolveImage(
    image: string,
    credential: RegistryCredential | null,
    signal: AbortSignal,
  ): Promise<ResolvedImage>;
  /** What is there already is not sent again. Aborting the signal ends it. Fails as `resolveImage` does. */
  pull(
    request: PullRequest,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<ImageFacts>;
  /** Takes away the name that a pull of ours left when it was killed. Absent is fine; the image's other names stay. */
  forgetPulled(image: string): Promise<void>;
  /** Signs in and forgets it. `auth_failed`, `registry_unreachable`. */
  checkRegistry(credential: RegistryCredential, signal: AbortSignal): Promise<void>;
  /** The one name of a deployment's image; bears this box's id, as everything does that is made here. */
  imageTag(app: string, deployment: string): string;
  /** Names an image that is there. `tag` is one of `imageTag`. */
  tagImage(reference: string, tag: string): Promise<ImageFacts>;
  /** null when the engine does not have it. */
  image(reference: string): Promise<ImageFacts | null>;
  /** Images that were built for this box or bear a name it gave, with those names only. */
  listImages(): Promise<ImageFacts[]>;
  /** Takes one name away; the image goes with its last one. What is not this box's throws `not_ours`. */
  removeImage(reference: string): Promise<void>;
  /** Hands over a directory of an image as a tar whose one top directory it is. Aborting the signal cuts it. */
  imageFiles<T>(
    request: ImageFilesRequest,
    read: (tar: Readable) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;

  /** Makes the container if it does not exist yet, and starts it unless it runs. */
  start(spec: InstanceSpec): Promise<InstanceFacts>;
  /** Starts an existing, stopped container again. */
  startAgain(name: string): Promise<InstanceFacts>;
  /** SIGTERM, then SIGKILL after the grace. Absent or stopped is fine. */
  stop(name: string, grace_s: number): Promise<void>;
  /** Stops and removes. Absent is fine. Volumes are never removed with it. */
  remove(name: string): Promise<void>;
  inspect(name: string): Promise<InstanceFacts | null>;
  list(filter?: Partial<OwnerLabels>): Promise<InstanceFacts[]>;
  logs(
    name: string,
    options: { tail?: number; follow?: boolean; since?: string; signal?: AbortSignal },
  ): AsyncIterable<LogLine>;
  /** One-off container; answers its exit code when it ended; removed afterwards whatever happens. */
  run(request: RunRequest, signal: AbortSignal): Promise<{ exit_code: number; oom_killed: boolean }>;
  /** Ports that processes inside the container listen on, with their bind addresses; null when unknowable. */
  listening(name: string): Promise<{ address: string; port: number }[] | null>;
  stats(
    name: string,
  ): Promise<{ cpu_percent: number; memory_bytes: number; memory_limit_bytes: number } | null>;
  endpoint(facts: Pick<InstanceFacts, "address" | "host_port">, port: number): Endpoint;
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  close(): Promise<void>;
}
