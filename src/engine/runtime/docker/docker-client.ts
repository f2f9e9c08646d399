import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { DiploError } from "../../../errors.ts";
import type { Log } from "../../../log.ts";
import { engineError } from "./engine-error.ts";
import {
  type EngineFacts,
  type EngineInfo,
  type EngineVersion,
  engineFacts,
  negotiate,
} from "./engine-facts.ts";

/** Long enough for a busy Raspberry Pi, short enough that an engine that hangs is found out. */
const CALL_TIMEOUT_MS = 60_000;

// What @types/dockerode leaves out.
type Versioned = { version?: string };
interface SelfDescribing {
  version(options: { abortSignal: AbortSignal }): Promise<EngineVersion>;
  info(options: { abortSignal: AbortSignal }): Promise<EngineInfo>;
}

/** A request of the engine's API that dockerode has no (sound) method for. */
export interface RawRequest {
  method: "GET" | "POST";
  path: string;
  query?: Record<string, unknown>;
  headers?: Record<string, string | string[]>;
  hijack?: boolean;
}

/**
 * The one door to dockerode. Every call has a deadline and settles, because a reply cut midway never does by
 * itself; every failure becomes a DiploError. The API version is agreed on before the first call and again after
 * the engine was away: it may have been upgraded meanwhile.
 */
export class DockerClient {
  #facts: Promise<EngineFacts> | null = null;

  constructor(
    readonly docker: Docker,
    readonly address: string,
    readonly boxId: string,
    readonly log: Log,
  ) {}

  /** What this engine is and can do; asked once per connection. */
  engine(): Promise<EngineFacts> {
    this.#facts ??= this.#meet().catch((error) => {
      this.#facts = null;
      throw error;
    });
    return this.#facts;
  }

  /** One call of the engine. `what` names it in errors. Throws `engine_down`, `disk_full` or an EngineRefusal. */
  async call<T>(
    what: string,
    work: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    { timeoutMs = CALL_TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<T> {
    await this.engine();
    return this.#race(what, work, timeoutMs, signal);
  }

  /** An answer that is read as it comes. The deadline covers its beginning, `signal` all of it. */
  async stream(what: string, request: RawRequest, signal?: AbortSignal): Promise<Readable> {
    const whole = new AbortController();
    const end = () => whole.abort(signal?.reason);
    signal?.addEventListener("abort", end, { once: true });
    const stream = await this.call(what, (docker) => dial(docker, request, whole.signal), { signal }).catch(
      (error) => {
        whole.abort();
        throw error;
      },
    );
    // Without a listener of its own, an aborted reply is an uncaught error.
    stream.on("error", () => {});
    stream.once("close", () => signal?.removeEventListener("abort", end));
    return stream;
  }

  async #meet(): Promise<EngineFacts> {
    const version = await this.#race("version", (docker, abortSignal) => {
      (docker.modem as Versioned).version = undefined;
      return (docker as unknown as SelfDescribing).version({ abortSignal });
    });
    const apiVersion = negotiate(version);
    const info = await this.#race("info", (docker, abortSignal) => {
      (docker.modem as Versioned).version = `v${apiVersion}`;
      return (docker as unknown as SelfDescribing).info({ abortSignal });
    });
    return engineFacts(this.address, apiVersion, version, info);
  }

  async #race<T>(
    what: string,
    work: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    timeoutMs = 10_000,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const settled = Promise.withResolvers<never>();
    const timer = setTimeout(() => settled.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const abort = () => settled.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([work(this.docker, controller.signal), settled.promise]);
    } catch (error) {
      controller.abort();
      signal?.throwIfAborted();
      throw this.#noted(engineError(what, error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  #noted(error: DiploError): DiploError {
    if (error.code === "engine_down") this.#facts = null;
    return error;
  }
}

/** Connects lazily: dockerode costs 20 MB and is loaded by the first box that has an engine. Throws `bad_engine_address`. */
export async function openDockerClient(address: string, boxId: string, log: Log): Promise<DockerClient> {
  const { default: Docker } = await import("dockerode");
  return new DockerClient(new Docker(connection(address)), address, boxId, log);
}

// Every field is given, for what is left out dockerode takes from DOCKER_HOST, even over a socketPath.
function connection(address: string): Docker.DockerOptions {
  if (address.startsWith("unix://"))
    return {
      socketPath: address.slice("unix://".length),
      host: undefined,
      port: undefined,
      protocol: "http",
    };
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^(tcp|https?):$/.test(url.protocol) || !url.hostname)
    throw new DiploError("bad_engine_address", `engine address "${address}" is neither unix:// nor tcp://`, {
      hint: "Set DOCKER_HOST to unix:///var/run/docker.sock or tcp://host:2375.",
    });
  const tls = url.protocol === "https:" || url.port === "2376";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port: url.port || (tls ? 2376 : 2375),
    protocol: tls ? "https" : "http",
    socketPath: undefined,
  };
}

function dial(docker: Docker, request: RawRequest, abortSignal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const options = {
      path: `${request.path}?`,
      method: request.method,
      options: { _query: request.query ?? {}, _body: {} },
      headers: request.headers,
      hijack: request.hijack ?? false,
      // An empty body of known length: of a chunked one its end would follow as the first bytes of the raw stream.
      ...(request.hijack ? { file: Buffer.alloc(0) } : {}),
      isStream: true,
      abortSignal,
      statusCodes: { 101: true, 200: true },
    };
    docker.modem.dial(options, (error: unknown, answer: unknown) => {
      if (error) reject(error);
      else resolve(answer as Readable);
    });
  });
}
