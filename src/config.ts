import { isIP } from "node:net";
import { join } from "node:path";
import { DiploError } from "./errors.ts";
import type { Level } from "./log.ts";

export interface Address {
  host: string;
  port: number;
}

/** Every setting of a Diplo process, resolved once: flag, else environment variable, else default. */
export interface Config {
  readonly version: string;
  /** Directory of everything Diplo keeps. */
  readonly data: string;
  readonly control: Address;
  /** Let the control listener answer peers outside private networks. */
  readonly controlPublic: boolean;
  readonly http: Address;
  readonly https: Address;
  /** Apps appear as `<name>.<domain>`. */
  readonly domain: string;
  readonly appPorts: { first: number; last: number };
  /** IPv4 CIDR the environments' networks are cut from. */
  readonly pool: string;
  /** Engine address as DOCKER_HOST spells it; undefined = look for one. */
  readonly dockerHost: string | undefined;
  /** Certificates to believe in instead of the machine's own, as other programs take them; for git over https. */
  readonly caFile: string | undefined;
  readonly logLevel: Level;
  /** Where a remote CLI finds its box. */
  readonly client: {
    url: string | undefined;
    token: string | undefined;
    app: string | undefined;
    /** The data directory was named, so that no other box of this machine is meant. */
    dataChosen: boolean;
    /** Where `diplo login` keeps its credentials. */
    directory: string;
    /** No colours wanted (no-color.org), or a terminal that has none. */
    plain: boolean;
  };
  /** systemd's notify socket and watchdog period, when started by it. */
  readonly systemd: { notifySocket: string | undefined; watchdogMs: number | undefined };
  /** True when systemd runs `diplo proxy` as a unit of its own, so that `serve` must not start one. */
  readonly proxyManaged: boolean;
  /** Processes that carry the traffic; undefined = as the box allows. */
  readonly proxyWorkers: number | undefined;
}

export const VERSION = process.env.DIPLO_VERSION ?? "0.1.0-dev";

/** Flags of the settings: name → help. The CLI prints this table. */
export const SETTINGS: Record<string, { env: string; value: string; help: string }> = {
  data: { env: "DIPLO_DATA", value: "DIR", help: "where everything is kept" },
  control: { env: "DIPLO_CONTROL", value: "HOST:PORT", help: "dashboard and API (default 0.0.0.0:8080)" },
  http: { env: "DIPLO_HTTP", value: "HOST:PORT", help: "apps by host name (default 0.0.0.0:80)" },
  https: { env: "DIPLO_HTTPS", value: "HOST:PORT", help: "the same with TLS (default 0.0.0.0:443)" },
  domain: { env: "DIPLO_DOMAIN", value: "NAME", help: "apps appear as <name>.NAME (default local)" },
  "app-ports": { env: "DIPLO_APP_PORTS", value: "A-B", help: "a port for each app (default 3000-9999)" },
  pool: { env: "DIPLO_POOL", value: "CIDR", help: "networks of the apps (default 10.213.0.0/16)" },
  "control-public": { env: "DIPLO_CONTROL_PUBLIC", value: "", help: "answer peers outside private networks" },
  "proxy-managed": {
    env: "DIPLO_PROXY_MANAGED",
    value: "",
    help: "systemd runs `diplo proxy`; do not start one",
  },
  "proxy-workers": {
    env: "DIPLO_PROXY_WORKERS",
    value: "N",
    help: "processes that carry traffic (default by cores and memory)",
  },
  "log-level": { env: "DIPLO_LOG_LEVEL", value: "LEVEL", help: "debug, info, warn or error (default info)" },
};

export type Flags = Record<string, string | true | undefined>;

/** Reads flags and environment. Throws `bad_setting` (one clear line; the caller exits 2). */
export function readConfig(flags: Flags = {}, env: Record<string, string | undefined> = process.env): Config {
  const text = (name: string): string | undefined => {
    const flag = flags[name];
    if (flag === true) return "true";
    return flag ?? (env[SETTINGS[name]?.env ?? ""] || undefined);
  };
  const on = (name: string) => /^(1|true|yes|on)$/i.test(text(name) ?? "");
  const root = process.getuid?.() === 0;
  const home = env.HOME ?? "/root";
  const watchdogUs = Number(env.WATCHDOG_USEC);
  return Object.freeze({
    version: VERSION,
    data:
      text("data") ??
      (root ? "/var/lib/diplo" : join(env.XDG_DATA_HOME ?? join(home, ".local/share"), "diplo")),
    control: address("control", text("control") ?? "0.0.0.0:8080"),
    controlPublic: on("control-public"),
    http: address("http", text("http") ?? "0.0.0.0:80"),
    https: address("https", text("https") ?? "0.0.0.0:443"),
    domain: domain(text("domain") ?? "local"),
    appPorts: portRange(text("app-ports") ?? "3000-9999"),
    pool: pool(text("pool") ?? "10.213.0.0/16"),
    dockerHost: env.DOCKER_HOST || undefined,
    caFile: env.SSL_CERT_FILE || undefined,
    logLevel: level(text("log-level") ?? "info"),
    client: {
      url: env.DIPLO_URL || undefined,
      token: env.DIPLO_TOKEN || undefined,
      app: env.DIPLO_APP || undefined,
      dataChosen: text("data") !== undefined,
      directory: join(env.XDG_CONFIG_HOME || join(home, ".config"), "diplo"),
      plain: Boolean(env.NO_COLOR) || env.TERM === "dumb",
    },
    systemd: {
      notifySocket: env.NOTIFY_SOCKET || undefined,
      watchdogMs: watchdogUs > 0 ? Math.floor(watchdogUs / 1000) : undefined,
    },
    proxyManaged: on("proxy-managed"),
    proxyWorkers: workers(text("proxy-workers")),
  });
}

/** Paths below the data directory; sockets stay short (sun_path holds 107 bytes). */
export const paths = {
  database: (data: string) => join(data, "diplo.db"),
  lock: (data: string) => join(data, "diplo.lock"),
  masterKey: (data: string) => join(data, "master.key"),
  controlSocket: (data: string) => join(data, "control.sock"),
  proxyDirectory: (data: string) => join(data, "proxy"),
  sites: (data: string) => join(data, "proxy", "sites"),
  proxySocket: (data: string) => join(data, "proxy", "proxy.sock"),
  proxyEventsSocket: (data: string) => join(data, "proxy-events.sock"),
  jobLogs: (data: string) => join(data, "logs", "jobs"),
  work: (data: string) => join(data, "work"),
  uploads: (data: string) => join(data, "uploads"),
  repositories: (data: string) => join(data, "repositories"),
  backups: (data: string) => join(data, "backups"),
};

function address(name: string, text: string): Address {
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text.trim());
  const host = (match?.[1] || "0.0.0.0").replace(/^\[(.*)\]$/, "$1");
  const port = Number(match?.[2]);
  if (!match || port > 65535 || (isIP(host) === 0 && host !== "localhost"))
    throw bad(name, text, "an address and a port, as in 0.0.0.0:8080");
  return { host: host === "localhost" ? "127.0.0.1" : host, port };
}

function portRange(text: string): { first: number; last: number } {
  const [first, last] = text.split("-").map(Number);
  if (!first || !last || first > last || last > 65535 || !/^\d+-\d+$/.test(text))
    throw bad("app-ports", text, "two ports, as in 3000-9999");
  return { first, last };
}

function domain(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name))
    throw bad("domain", text, "a domain name, as in local or apps.example.org");
  return name;
}

function pool(text: string): string {
  const [address = "", bits = ""] = text.split("/");
  if (isIP(address) !== 4 || !/^\d+$/.test(bits) || Number(bits) < 8 || Number(bits) > 24)
    throw bad("pool", text, "an IPv4 network between /8 and /24, as in 10.213.0.0/16");
  return text;
}

function workers(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!/^\d{1,2}$/.test(text) || count < 1 || count > 64)
    throw bad("proxy-workers", text, "a number from 1 to 64");
  return count;
}

function level(text: string): Level {
  if (text === "debug" || text === "info" || text === "warn" || text === "error") return text;
  throw bad("log-level", text, "debug, info, warn or error");
}

function bad(name: string, value: string, wanted: string): DiploError {
  const setting = SETTINGS[name];
  return new DiploError("bad_setting", `--${name} (${setting?.env}) is "${value}", but must be ${wanted}`);
}
