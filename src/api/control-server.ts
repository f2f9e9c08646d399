import { hostname } from "node:os";
import { type Config, paths } from "../config.ts";
import type { Log } from "../log.ts";
import type { Operation } from "../operation.ts";
import type { Parts } from "../product/parts.ts";
import type { HandRoute } from "../route.ts";
import { apiRoutes } from "./api-routes.ts";
import { type ErrorPage, FrontDoor } from "./front-door.ts";
import { controlNames } from "./host-gate.ts";
import { Idempotency } from "./idempotency.ts";
import { type Fetch, listenTcp, listenUnix } from "./listen.ts";
import { operationRoute } from "./operation-route.ts";
import { PeerGate } from "./peer-gate.ts";
import { problemResponse } from "./problem.ts";
import type { Socket } from "./sockets.ts";
import { Sockets } from "./sockets.ts";

export interface ControlServerOptions {
  parts: Parts;
  operations: readonly Operation[];
  /** Pages and assets of the dashboard; the API's own hand routes are added here. */
  handRoutes: readonly HandRoute[];
  settings: Config;
  log: Log;
  /** CIDRs of every engine network as they are now, beside the pool: peers in them are containers. */
  engineSubnets?: () => readonly string[];
  /** Further names of this box, beside its own and the domain's. */
  hostNames?: readonly string[];
  /** How a page tells an error. Default: the problem document. */
  errorPage?: ErrorPage;
}

/** How long answers under way may take when the daemon stops. */
const STOP_MS = 2000;

/** The control plane's two doors, TCP and control.sock, with one front door behind both. */
export class ControlServer {
  readonly routes: readonly HandRoute[];
  readonly #settings: Config;
  readonly #door: FrontDoor;
  readonly #sockets = new Sockets();
  readonly #stopping = new AbortController();
  #servers: Bun.Server<Socket>[] = [];

  constructor(options: ControlServerOptions) {
    const { parts, operations, handRoutes, settings, log, engineSubnets, hostNames, errorPage } = options;
    this.#settings = settings;
    const own = apiRoutes({
      operations,
      sockets: this.#sockets,
      stopping: this.#stopping.signal,
    });
    const repeats = new Idempotency();
    this.routes = [
      ...operations.map((operation) => operationRoute(operation, repeats)),
      ...own,
      ...handRoutes,
    ];
    this.#door = new FrontDoor({
      parts,
      routes: this.routes,
      peers: new PeerGate({
        publicToo: settings.controlPublic,
        engineSubnets: () => [settings.pool, ...(engineSubnets?.() ?? [])],
      }),
      names: controlNames({ hostname: hostname(), domain: settings.domain, more: hostNames }),
      log,
      errorPage: errorPage ?? ((problem) => problemResponse(problem)),
    });
  }

  /** Throws `port_taken` and the like (listen.ts). The data directory's lock must be held. */
  async start(): Promise<void> {
    const { control, data } = this.#settings;
    this.#servers.push(listenTcp(control, this.#fetch, this.#sockets.handler));
    this.#servers.push(listenUnix(paths.controlSocket(data), this.#fetch, this.#sockets.handler));
  }

  /** Streams end, answers under way get a moment, then everything is cut. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const servers = this.#servers.splice(0);
    await Promise.race([Promise.all(servers.map((server) => server.stop())), Bun.sleep(STOP_MS)]);
    await Promise.all(servers.map((server) => server.stop(true)));
  }

  /** Where TCP really listens (settings may say 0); 0 before start. */
  get port(): number {
    return this.#servers[0]?.port ?? 0;
  }

  readonly #fetch: Fetch = async (request, server) => {
    const local = server.port === undefined;
    const peer = local ? null : server.requestIP(request);
    // Gone before we could look: there is nobody to answer.
    if (!local && peer === null) return new Response(null, { status: 400 });
    this.#sockets.arrived(request, server);
    const response = await this.#door.answer(request, {
      ip: peer?.address ?? null,
      secure: request.url.startsWith("https:"),
      limitSilence: (seconds) => server.timeout(request, seconds),
    });
    return this.#sockets.isUpgraded(request) ? undefined : response;
  };
}

export function createControlServer(options: ControlServerOptions): ControlServer {
  return new ControlServer(options);
}
