import type { Log } from "../log.ts";
import { AccessLogs } from "./access-logs.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Report } from "./carrier.ts";
import type { ClientConnection } from "./client-connection.ts";
import { HoldQueue } from "./hold-queue.ts";
import type { Limits } from "./limits.ts";
import { OwnCookies } from "./own-cookies.ts";
import { Origin } from "./peer.ts";
import { PeerSet } from "./peer-set.ts";
import type { ProxySettings, RouteMetrics, RouteTable } from "./protocol.ts";
import { RequestHead } from "./request-head.ts";
import { RequestIds } from "./request-id.ts";
import { ResponseHead } from "./response-head.ts";
import { RouteCounters } from "./route-metrics.ts";
import { Router, type RouteState } from "./router.ts";
import { Sites } from "./sites.ts";
import { STICKY_PREFIX } from "./sticky.ts";
import { TargetRegistry } from "./target.ts";
import { Ticker } from "./ticker.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

export interface EngineOptions {
  limits: Limits;
  log: Log;
  /** The proxy's own: static releases lie in `sites/` there. */
  directory: string;
  /** A request found no target of this route, and the route wants its app started. */
  wake(routeId: string): void;
}

/** The settings of a table, made ready for use per request. */
export interface EngineSettings {
  ownCookies: OwnCookies;
  probeToken: Buffer;
  trusted: PeerSet;
}

const DRAIN_CHECK_MS = 20;
const NO_SETTINGS: ProxySettings = { own_cookies: [], probe_token: "", trusted_proxies: [] };

/** What all connections of one process share: the table in force, limits, clock, pools and scratch space. */
export class Engine {
  readonly limits: Limits;
  readonly log: Log;
  readonly wake: (routeId: string) => void;
  readonly ticker = new Ticker();
  readonly clients = new Set<ClientConnection>();
  readonly upstreams = new Set<UpstreamConnection>();
  private readonly origins = new Map<string, Origin>();
  /** Parsed heads and bytes to write; used within one event, never across. */
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly scratch = new ByteWriter(256 * 1024);
  readonly requestIds = new RequestIds();
  readonly targets = new TargetRegistry();
  readonly sites: Sites;
  readonly accessLogs: AccessLogs;
  router: Router;
  settings: EngineSettings;
  draining = false;
  /** While draining: a connection without a request ends unannounced. */
  endsIdle = false;

  private readonly routes = new Map<string, RouteState>();

  constructor(options: EngineOptions) {
    this.limits = options.limits;
    this.log = options.log;
    this.wake = options.wake;
    this.sites = new Sites({
      directory: options.directory,
      log: options.log,
      cacheBytes: options.limits.siteCacheBytes,
    });
    this.accessLogs = new AccessLogs(options.directory, options.log, options.limits.accessLogFlushMs);
    this.requestHead = new RequestHead(options.limits);
    this.responseHead = new ResponseHead(options.limits);
    this.router = this.compile({ routes: [], settings: NO_SETTINGS });
    this.settings = readySettings(NO_SETTINGS, this.router);
  }

  /** Makes a checked table ready; it serves only when given to `swap`. */
  compile(table: Pick<RouteTable, "routes" | "settings">): Router {
    return new Router(table, {
      state: (id) => this.routeState(id),
      target: (spec) => this.targets.get(spec),
      accessLog: (spec) => this.accessLogs.for(spec),
      secret: table.settings.probe_token,
    });
  }

  /** Takes effect for the next request on every connection. Requests in flight finish where they are. */
  swap(router: Router, settings: ProxySettings): void {
    this.router = router;
    this.settings = readySettings(settings, router);
    this.sweep();
    for (const state of [...this.routes.values()]) state.hold.release();
  }

  /** Retires targets and forgets routes that the table in force does not name. */
  sweep(): void {
    this.targets.sweep(this.router.targets);
    for (const [id, { hold, counters }] of this.routes)
      if (this.router.get(id) === undefined && hold.size === 0 && counters.inFlight === 0)
        this.routes.delete(id);
  }

  /** Counts a new client of this address. Undefined: over a limit, shed it. */
  admit(address: string): Origin | undefined {
    if (this.clients.size >= this.limits.connections) return undefined;
    const origin = this.origins.get(address) ?? new Origin(address);
    const many = origin.connections >= this.limits.connectionsPerAddress;
    if (many && !this.settings.trusted.has(address)) return undefined;
    if (origin.connections++ === 0) this.origins.set(address, origin);
    return origin;
  }

  forgetClient(client: ClientConnection): void {
    this.clients.delete(client);
    const { origin } = client.peer;
    if (--origin.connections === 0) this.origins.delete(origin.address);
  }

  /**
   * Ends keep-alive connections, waits for requests in flight as long as the limits say, then cuts what is left.
   * `gentle`: an idle connection stays, so that no request crosses its end on the way; its next answer ends it.
   */
  async drain(gentle = false): Promise<void> {
    this.draining = true;
    this.endsIdle = !gentle;
    if (!gentle) for (const client of [...this.clients]) if (client.idle) client.finish();
    const until = performance.now() + this.limits.drainMs;
    while (this.clients.size > 0 && performance.now() < until) await Bun.sleep(DRAIN_CHECK_MS);
    for (const client of [...this.clients]) client.cutOff();
    for (const upstream of [...this.upstreams]) upstream.close();
    this.ticker.stop();
    this.sites.stop();
    await this.accessLogs.close();
  }

  report(): Report {
    const uses = Object.fromEntries([...this.routes].map(([id, { counters }]) => [id, counters.uses]));
    return { inFlight: this.targets.inFlight(), connections: this.clients.size, uses };
  }

  /** Metrics of every route with something to say since the last call. */
  takeMetrics(): RouteMetrics[] {
    const reports: RouteMetrics[] = [];
    for (const [id, { counters }] of this.routes) {
      const report = counters.take(id);
      if (report !== undefined) reports.push(report);
    }
    return reports;
  }

  private routeState(id: string): RouteState {
    let state = this.routes.get(id);
    if (state === undefined) {
      state = { hold: new HoldQueue(this.limits.holdRetryMs), counters: new RouteCounters() };
      this.routes.set(id, state);
    }
    return state;
  }
}

function readySettings(settings: ProxySettings, { hasSticky }: Router): EngineSettings {
  return {
    ownCookies: new OwnCookies(settings.own_cookies, hasSticky ? STICKY_PREFIX : ""),
    probeToken: Buffer.from(settings.probe_token),
    trusted: new PeerSet(settings.trusted_proxies),
  };
}
