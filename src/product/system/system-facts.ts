import { availableParallelism, hostname } from "node:os";
import type { Config } from "../../config.ts";
import type { ProxyState } from "../../proxy/protocol.ts";
import type { Store } from "../../store/store.ts";
import { lanAddress } from "./lan-address.ts";
import { Machine, type Size } from "./machine.ts";
import { inUrl, isEverywhere } from "./url-host.ts";

export interface SystemFactsOptions {
  settings: Config;
  store: Store;
  routes: { state(): Promise<ProxyState> };
  boxId: string;
  machine?: Machine;
  hostname?: string;
  lanAddress?: () => string;
}

export interface SystemInfo {
  version: string;
  box_id: string;
  hostname: string;
  architecture: string;
  /** Of this process. */
  uptime_seconds: number;
  data: string;
  dashboard_urls: string[];
  proxy: { pid: number; generation: number; started_at: string; connections: number } | null;
  settings: Record<string, string>;
}

export interface SystemStats {
  apps: number;
  /** Environments that have an instance running. */
  running: number;
  ports_used: number;
  disk: Size;
  memory: Size;
  load: number[];
  cpus: number;
  temperature_c: number | null;
  /** Of the machine. */
  uptime_s: number;
  /** Jobs that wait for their turn. */
  queue: number;
}

/** What the box is and how it does. */
export class SystemFacts {
  private readonly machine: Machine;
  private readonly hostname: string;

  constructor(private readonly options: SystemFactsOptions) {
    this.machine = options.machine ?? new Machine();
    this.hostname = options.hostname ?? hostname();
  }

  async info(): Promise<SystemInfo> {
    const { settings, boxId, routes } = this.options;
    const proxy = await routes.state().catch(() => null);
    return {
      version: settings.version,
      box_id: boxId,
      hostname: this.hostname,
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      uptime_seconds: Math.floor(process.uptime()),
      data: settings.data,
      dashboard_urls: this.dashboardUrls(),
      proxy: proxy && {
        pid: proxy.pid,
        generation: proxy.generation,
        started_at: proxy.started_at,
        connections: proxy.connections,
      },
      settings: shownSettings(settings),
    };
  }

  async stats(): Promise<SystemStats> {
    const { settings } = this.options;
    const [disk, memory, temperature, uptime] = await Promise.all([
      this.machine.disk(settings.data),
      this.machine.memory(),
      this.machine.temperature(),
      this.machine.uptimeSeconds(),
    ]);
    return {
      ...this.counts(),
      disk,
      memory,
      load: this.machine.load(),
      cpus: availableParallelism(),
      temperature_c: temperature,
      uptime_s: uptime,
    };
  }

  /** Addresses of the dashboard, the one most likely to work on another machine first. */
  dashboardUrls(): string[] {
    const { host, port } = this.options.settings.control;
    if (!isEverywhere(host)) return [`http://${inUrl(host)}:${port}`];
    const address = (this.options.lanAddress ?? lanAddress)();
    // A full name's first label is what the machine is called on its own network (RFC 6762 §3).
    const label = this.hostname.split(".")[0]?.toLowerCase() ?? "";
    const named = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label) && label !== "localhost";
    return [`http://${address}:${port}`, ...(named ? [`http://${label}.local:${port}`] : [])];
  }

  private counts() {
    const count = (sql: string) => this.options.store.get<{ n: number }>(sql)?.n ?? 0;
    return {
      apps: count("select count(*) as n from apps where destroying_at is null"),
      running: count(
        "select count(distinct environment_id) as n from instances where observed = 'running' and released_at is null",
      ),
      ports_used: count("select count(*) as n from ports"),
      queue: count("select count(*) as n from jobs where status = 'queued'"),
    };
  }
}

/** The settings as `--flag value` would write them. None of them is a secret. */
function shownSettings(settings: Config): Record<string, string> {
  const { control, http, https, domain, appPorts, pool, dockerHost, logLevel, controlPublic, proxyManaged } =
    settings;
  return {
    control: `${control.host}:${control.port}`,
    http: `${http.host}:${http.port}`,
    https: `${https.host}:${https.port}`,
    domain,
    "app-ports": `${appPorts.first}-${appPorts.last}`,
    pool,
    "control-public": String(controlPublic),
    "proxy-managed": String(proxyManaged),
    "log-level": logLevel,
    ...(dockerHost && { DOCKER_HOST: dockerHost }),
  };
}
