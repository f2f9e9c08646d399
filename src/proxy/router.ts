import type { AccessLog } from "./access-logs.ts";
import { choiceFor } from "./balance-choices.ts";
import { Balancer } from "./balancer.ts";
import type { HoldQueue } from "./hold-queue.ts";
import type { Route, RouteTable, Target } from "./protocol.ts";
import type { RouteCounters } from "./route-metrics.ts";
import { Sticky } from "./sticky.ts";
import type { TargetState } from "./target.ts";

/** What of a route outlives a table. */
export interface RouteState {
  hold: HoldQueue;
  counters: RouteCounters;
}

export interface RouteEntry {
  spec: Route;
  state: RouteState;
  balancer: Balancer;
  /** Only where the route asks for it. */
  sticky: Sticky | undefined;
  /** A static release that is the only target. */
  site: TargetState | undefined;
  /** Only where the route asks for one. */
  log: AccessLog | undefined;
}

export interface RouterParts {
  state(routeId: string): RouteState;
  target(spec: Target): TargetState;
  accessLog(spec: Route): AccessLog | undefined;
  /** Of the table: what sticky cookies are derived from. */
  secret: string;
}

/** A request's normalised path; only looked at when the host has more than one. */
interface WithPath {
  readonly path: string;
}

/** Path prefixes of one host. Looking up costs as many steps as the request's path has segments, at most. */
class PathRoutes {
  root: RouteEntry | undefined;
  private longest = 0;
  private readonly prefixes = new Map<string, RouteEntry>();

  add(entry: RouteEntry): void {
    if (entry.spec.path === "/") this.root = entry;
    else this.prefixes.set(entry.spec.path, entry);
    this.longest = Math.max(this.longest, entry.spec.path.length);
  }

  find(request: WithPath): RouteEntry | undefined {
    if (this.prefixes.size === 0) return this.root;
    const { path } = request;
    const { longest } = this;
    // From where prefixes may end: thousands of slashes behind that cost nothing.
    let end = path.length <= longest ? path.length : path.lastIndexOf("/", longest);
    for (; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const entry = this.prefixes.get(path.slice(0, end));
      if (entry !== undefined) return entry;
    }
    return this.root;
  }
}

/** A route table made ready for look-up. Replaced as a whole, never changed. */
export class Router {
  readonly targets = new Set<TargetState>();
  /** Some route keeps its clients by a cookie. */
  hasSticky = false;
  private readonly byId = new Map<string, RouteEntry>();
  private readonly exact = new Map<string, PathRoutes>();
  /** By what follows `*.`; a wildcard covers one label. */
  private readonly wildcards = new Map<string, PathRoutes>();
  private readonly ports = new Map<number, RouteEntry>();

  constructor(table: Pick<RouteTable, "routes">, parts: RouterParts) {
    for (const spec of table.routes) this.add(spec, parts);
  }

  /** The route of a normalised host name and path. */
  find(host: string, request: WithPath): RouteEntry | undefined {
    const entry = this.exact.get(host)?.find(request);
    if (entry !== undefined || this.wildcards.size === 0) return entry;
    const dot = host.indexOf(".");
    return dot < 0 ? undefined : this.wildcards.get(host.slice(dot + 1))?.find(request);
  }

  findPort(port: number): RouteEntry | undefined {
    return this.ports.get(port);
  }

  get(id: string): RouteEntry | undefined {
    return this.byId.get(id);
  }

  private add(spec: Route, parts: RouterParts): void {
    const targets = spec.targets.map((target) => ({ target: parts.target(target), weight: target.weight }));
    for (const { target } of targets) this.targets.add(target);
    const balance = spec.balance ?? "round_robin";
    const states = targets.map(({ target }) => target);
    const entry: RouteEntry = {
      spec,
      state: parts.state(spec.id),
      balancer: new Balancer(targets, choiceFor(balance), balance),
      sticky: spec.sticky === true ? new Sticky(spec, states, parts.secret) : undefined,
      site: states.length === 1 && states[0]!.site !== "" ? states[0] : undefined,
      log: parts.accessLog(spec),
    };
    if (entry.sticky !== undefined) this.hasSticky = true;
    this.byId.set(spec.id, entry);
    if (spec.port !== null) this.ports.set(spec.port, entry);
    for (const host of spec.hosts) {
      const [map, key] = host.startsWith("*.") ? [this.wildcards, host.slice(2)] : [this.exact, host];
      const paths = map.get(key) ?? new PathRoutes();
      map.set(key, paths);
      paths.add(entry);
    }
  }
}
