import type { Config } from "../../config.ts";
import type { Route, RouteStatus, RouteTable, Target } from "../../proxy/protocol.ts";
import { PROTOCOL_VERSION } from "../../proxy/protocol.ts";
import { hostLabel } from "../apps/app-name.ts";
import type { Environment } from "../environments/environments.ts";
import type { Health } from "../environments/settings.ts";

export type RoutedInstance = { id: string; release: number; weight: number } & (
  | { host: string; port: number }
  /** Files that the proxy serves itself. */
  | { site: string }
);

export interface RoutedEnvironment {
  environment: Environment;
  status: RouteStatus;
  instances: RoutedInstance[];
  /** Of the release that serves; null while there is none. */
  health: Health | null;
  /** Verified names of the person's own. */
  domains: { host: string; path: string; strip_path: boolean }[];
}

/** Requests that arrive while an app has no instance wait for this long: a recreate or a restart is not an outage. */
const HOLD = { max_requests: 1000, max_wait_ms: 30_000 };

/** The whole table out of committed rows: the same rows give the same table, byte for byte. */
export function renderRouteTable(
  environments: RoutedEnvironment[],
  { settings, probeToken, ownCookies }: { settings: Config; probeToken: string; ownCookies: string[] },
): Omit<RouteTable, "generation"> {
  return {
    version: PROTOCOL_VERSION,
    listeners: [{ host: settings.http.host, port: settings.http.port, protocol: "http" }],
    routes: environments.flatMap((environment) => routesOf(environment, settings)),
    settings: { own_cookies: ownCookies, probe_token: probeToken, trusted_proxies: [] },
  };
}

function routesOf(
  { environment, status, instances, health, domains }: RoutedEnvironment,
  settings: Config,
): Route[] {
  const own: Route = {
    id: routeId(environment),
    app: environment.app,
    environment: environment.name,
    process: "web",
    hosts: [hostOf(environment, settings)],
    path: "/",
    strip_path: false,
    port: environment.port,
    port_host: settings.http.host,
    targets: instances.map(({ id, ...rest }): Target => ({ instance: id, ...rest })),
    status,
    hold: holdOf(status, environment),
    wake: status === "sleeping",
    max_body_bytes: environment.settings.max_body_bytes,
    first_byte_timeout_ms: 60_000,
    balance: environment.settings.balance,
    sticky: environment.settings.sticky,
    access_log: environment.settings.access_log,
    ...activeHealth(health),
  };
  const more = domains.map(({ host, path, strip_path }) => ({
    ...own,
    id: `${own.id}/${host}${path}`,
    hosts: [host],
    path,
    strip_path,
    port: null,
  }));
  return [own, ...more];
}

function holdOf(status: RouteStatus, { settings }: Environment): Route["hold"] {
  if (status === "stopped" || status === "failed") return { max_requests: 0, max_wait_ms: 0 };
  return status === "sleeping" ? { ...HOLD, max_wait_ms: settings.wake_deadline_s * 1000 } : HOLD;
}

/** The proxy asks the instances; control only reads what came of it (docs/data-plane.md). */
function activeHealth(health: Health | null): Pick<Route, "health"> {
  if (health === null || health.type === "none") return {};
  const { pathname, search } = new URL(health.path, "http://app");
  return {
    health: {
      path: health.type === "http" ? pathname + search : null,
      interval_ms: health.interval_s * 1000,
      timeout_ms: health.timeout_s * 1000,
      unhealthy_after: health.unhealthy_after,
    },
  };
}

export function routeId(environment: Environment): string {
  return `${environment.id}/web`;
}

export function hostOf(environment: Environment, settings: Config): string {
  return `${hostLabel(environment.app, environment.name)}.${settings.domain}`;
}
