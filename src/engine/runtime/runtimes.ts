import { DiploError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { ContainerRuntime, RuntimeInfo } from "./container-runtime.ts";

export interface RuntimesOptions {
  log: Log;
  detect: () => Promise<RuntimeInfo[]>;
  /** Opens the engine that was found. */
  connect: (info: RuntimeInfo) => Promise<ContainerRuntime>;
}

/** The engines of this box: which are usable, and the one in use, reached again when it comes back. */
export class Runtimes {
  private connected: { runtime: ContainerRuntime; info: RuntimeInfo } | null = null;
  private connecting: Promise<ContainerRuntime> | null = null;
  private readonly listeners: ((runtime: ContainerRuntime) => void)[] = [];

  constructor(private readonly options: RuntimesOptions) {}

  detect(): Promise<RuntimeInfo[]> {
    return this.options.detect();
  }

  /** What is in use now; null before the first use and while no engine answers. */
  get current(): RuntimeInfo | null {
    return this.connected?.info ?? null;
  }

  /** Told of the engine in use and of each that comes into use: nobody has to connect only to wait for something. */
  onConnect(listener: (runtime: ContainerRuntime) => void): void {
    this.listeners.push(listener);
    if (this.connected) listener(this.connected.runtime);
  }

  /** The first usable engine (or the one named). Throws `engine_down` with every reason. */
  async usable(type?: string): Promise<ContainerRuntime> {
    if (this.connected && (type === undefined || type === this.connected.info.type))
      return this.connected.runtime;
    if (type === undefined) {
      this.connecting ??= this.connect().finally(() => {
        this.connecting = null;
      });
      return this.connecting;
    }
    return this.connect(type);
  }

  /** Forget the engine in use, so that the next use looks again: called when it stopped answering. */
  async reset(): Promise<void> {
    const old = this.connected;
    this.connected = null;
    await old?.runtime.close().catch(() => {});
  }

  async close(): Promise<void> {
    await this.reset();
  }

  private async connect(type?: string): Promise<ContainerRuntime> {
    const found = await this.options.detect();
    const wanted = found.filter((info) => type === undefined || info.type === type);
    const info = wanted.find((candidate) => candidate.available);
    if (!info) throw noneUsable(wanted, type);
    const runtime = await this.options.connect(info);
    this.connected = { runtime, info };
    for (const listener of this.listeners) listener(runtime);
    for (const warning of info.warnings) this.options.log.warn(warning, { runtime: info.type });
    return runtime;
  }
}

function noneUsable(found: RuntimeInfo[], type: string | undefined): DiploError {
  const reasons = found.map((info) => `${info.type} at ${info.address}: ${info.reason ?? "unusable"}`);
  // A runtime named by the person never falls back to another one.
  if (type !== undefined)
    return new DiploError("runtime_unavailable", `runtime ${type} cannot be used`, {
      status: 409,
      evidence: reasons,
    });
  return new DiploError("engine_down", "no container engine answers", {
    status: 503,
    detail: "No container engine answers on this box.",
    hint: "Start Docker (systemctl start docker), then look at: diplo doctor",
    evidence: reasons,
  });
}
