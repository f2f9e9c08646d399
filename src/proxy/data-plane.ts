import { createHash } from "node:crypto";
import { terse } from "../errors.ts";
import type { Log } from "../log.ts";
import { ActiveHealthChecks } from "./active-health.ts";
import type { Carrier } from "./carrier.ts";
import { Certificates } from "./certificates.ts";
import { serveControlSocket } from "./control-socket.ts";
import { ProxyDirectory } from "./directory.ts";
import { EventSender } from "./event-sender.ts";
import { completeLimits, type Limits } from "./limits.ts";
import {
  type Applied,
  type CertificateSet,
  PROTOCOL_VERSION,
  type ProxyState,
  type Refusal,
  type RouteTable,
} from "./protocol.ts";
import { RouteUse } from "./route-use.ts";
import { SingleProcess } from "./single-process.ts";
import { SiteCheck } from "./site-check.ts";
import { checkCertificateSet, checkRouteTable } from "./table-check.ts";
import { WorkerFleet } from "./worker-fleet.ts";

export interface DataPlaneOptions {
  /** The proxy's own directory (`paths.proxyDirectory`). */
  directory: string;
  /** Control's `proxy-events.sock`. */
  eventsSocket: string;
  version: string;
  log: Log;
  limits?: Partial<Limits>;
  metricsEveryMs?: number;
  /** Processes that carry the bytes; without, this one does it itself. `command` starts one worker. */
  workers?: { count: number; command: string[] };
}

const ROUTES_FILE = "routes.json";
const CERTIFICATES_FILE = "certificates.json";
/** Time for the answer to `POST /stop` to be read. */
const LAST_ANSWER_MS = 50;
/** With a successor in place: time for connections that are just being made to us. */
const HANDSHAKE_MS = 300;
/** With a successor in place: time for those that wait in our queues to be taken, on a machine that is very busy. */
const QUEUES_MS = 3_000;
const QUEUES_LOOK_MS = 5;
const LET_GO_MS = 10_000;
const NOTHING: Applied = { generation: -1, sha256: "" };

/** The data plane: what was accepted serves, what was refused changes nothing. */
export class DataPlane {
  private readonly carrier: Carrier;
  private readonly events: EventSender;
  private readonly health: ActiveHealthChecks;
  private readonly use = new RouteUse();
  private readonly startedAt = new Date().toISOString();
  private readonly sites: SiteCheck;
  private server: ReturnType<typeof serveControlSocket> | undefined;
  private routesApplied = NOTHING;
  private certificatesApplied = NOTHING;
  private lastRefusal: ProxyState["last_refusal"] = null;
  /** One change at a time, in the order of arrival. */
  private turn: Promise<unknown> = Promise.resolve();
  private stopping: Promise<void> | undefined;
  private readonly ended = Promise.withResolvers<void>();

  private constructor(
    private readonly options: DataPlaneOptions,
    private readonly directory: ProxyDirectory,
  ) {
    const { log, metricsEveryMs, workers } = options;
    this.sites = new SiteCheck(directory.path);
    const wake = (route: string) => this.events.wake(route);
    const limits = completeLimits(options.limits ?? {});
    this.carrier =
      workers === undefined
        ? new SingleProcess({ limits, directory: directory.path, log, wake })
        : new WorkerFleet({ ...workers, limits, directory: directory.path, log, wake });
    const takeMetrics = async () => {
      this.use.note((await this.carrier.report()).uses);
      return this.carrier.takeMetrics();
    };
    this.health = new ActiveHealthChecks({ log, changed: (failing) => this.carrier.setFailing(failing) });
    this.events = new EventSender({ socket: options.eventsSocket, log, metricsEveryMs, takeMetrics });
  }

  /** Locks the directory, serves what lies in it, and takes orders on `proxy.sock`. Throws `proxy_running`. */
  static async start(options: DataPlaneOptions): Promise<DataPlane> {
    const directory = new ProxyDirectory(options.directory);
    await directory.lock();
    const plane = new DataPlane(options, directory);
    try {
      await plane.load();
      await plane.open();
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /**
   * Takes the place of the proxy that runs in this directory, so that nobody is ever refused: listens beside it, then
   * tells it to stop, and goes on when it has let go. What it has in hand it finishes. Throws `proxy_running`.
   */
  static async replace(options: DataPlaneOptions): Promise<DataPlane> {
    const directory = new ProxyDirectory(options.directory);
    const plane = new DataPlane(options, directory);
    const { sockets } = plane.carrier;
    try {
      sockets.shareWithPredecessor = true;
      await plane.load();
      const predecessor = await fetch("http://proxy/state", { unix: directory.socket });
      sockets.takePrecedence(((await predecessor.json()) as ProxyState).workers);
      await fetch("http://proxy/stop?successor=1", { unix: directory.socket, method: "POST" });
      await directory.lock(LET_GO_MS);
      sockets.shareAmongOwn();
      // Once more: it may have accepted something newer meanwhile.
      await plane.load();
      await plane.open();
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Resolves when the proxy has stopped, for whatever reason. */
  get stopped(): Promise<void> {
    return this.ended.promise;
  }

  /** Stops listening, lets requests in flight finish for `drainMs`, cuts the rest. `successor`: another listens already. */
  stop(successor = false): Promise<void> {
    this.stopping ??= this.drain(successor);
    return this.stopping;
  }

  /** Replaces the workers one by one, without losing a request. */
  restartWorkers(): Promise<void> {
    return this.inTurn(() => this.carrier.restart());
  }

  async state(): Promise<ProxyState> {
    const { inFlight, connections, uses } = await this.carrier.report();
    this.use.note(uses);
    return {
      version: PROTOCOL_VERSION,
      diplo_version: this.options.version,
      pid: process.pid,
      workers: this.carrier.workers,
      started_at: this.startedAt,
      generation: this.routesApplied.generation,
      sha256: this.routesApplied.sha256,
      certificate_generation: this.certificatesApplied.generation,
      in_flight: inFlight,
      connections,
      unhealthy: this.health.unhealthy,
      last_used: this.use.times(),
      last_refusal: this.lastRefusal,
    };
  }

  private async open(): Promise<void> {
    await this.directory.removeStaleSocket();
    this.server = serveControlSocket(this.directory.socket, {
      putRoutes: (body) => this.inTurn(() => this.putRoutes(body)),
      putCertificates: (body) => this.inTurn(() => this.putCertificates(body)),
      state: () => this.state(),
      stop: (successor) => void this.stop(successor),
    });
    await this.directory.makeSharedDirectories();
    await this.directory.openSocketToGroup();
    this.events.start();
  }

  /** The directory is let go first: a successor need not wait for the last WebSocket here. */
  private async drain(successor: boolean): Promise<void> {
    if (successor) await this.emptyQueues();
    await this.carrier.stopListening(successor);
    this.health.stop();
    if (this.server !== undefined) {
      await Bun.sleep(LAST_ANSWER_MS);
      await this.server.stop(true);
    }
    this.directory.close();
    await this.carrier.drain();
    await this.events.stop();
    this.ended.resolve();
  }

  /** Connections that wait to be taken. */
  get waiting(): number {
    return this.carrier.sockets.waiting;
  }

  /** New connections are the successor's already, so queues that are empty once stay so. */
  private async emptyQueues(): Promise<void> {
    await Bun.sleep(HANDSHAKE_MS);
    const until = performance.now() + QUEUES_MS;
    while (this.waiting > 0 && performance.now() < until) await Bun.sleep(QUEUES_LOOK_MS);
  }

  /** From the own directory alone: what lies there was accepted once. A port that is taken now costs that listener only. */
  private async load(): Promise<void> {
    const { log } = this.options;
    const certificates = await this.directory.read(CERTIFICATES_FILE);
    if (certificates !== undefined) {
      try {
        const set = checkCertificateSet(JSON.parse(certificates.toString()));
        await Certificates.load(set);
        await this.carrier.useCertificates(set);
        this.certificatesApplied = { generation: set.generation, sha256: sha256(certificates) };
      } catch (error) {
        log.error("stored certificates cannot be used", { error: terse(error) });
      }
    }
    const routes = await this.directory.read(ROUTES_FILE);
    if (routes === undefined) return;
    try {
      const table = checkRouteTable(JSON.parse(routes.toString()));
      for (const failure of await this.carrier.serve(table)) log.error("cannot listen", { ...failure });
      this.routesApplied = { generation: table.generation, sha256: sha256(routes) };
      this.watch(table);
    } catch (error) {
      log.error("stored routes cannot be used", { error: terse(error) });
    }
  }

  private async putRoutes(body: Uint8Array): Promise<Applied | Refusal> {
    const parsed = parse(body, checkRouteTable);
    if ("code" in parsed) return this.refuse(parsed, -1);
    const table: RouteTable = parsed.value;
    const applied: Applied = { generation: table.generation, sha256: sha256(body) };
    const order = this.order(applied, this.routesApplied);
    if (order === "same" && this.carrier.complete(table)) return applied;
    if (order === "stale") return this.refuse(stale(this.routesApplied), table.generation);
    const broken = this.sites.problemOf(table);
    if (broken !== undefined) return this.refuse({ code: "invalid", message: broken }, table.generation);
    const prepared = this.carrier.prepare(table);
    if (prepared.failures !== undefined) {
      const list = prepared.failures.map(({ host, port, error }) => `${host}:${port} (${error})`).join(", ");
      return this.refuse(
        { code: "bind_failed", message: `cannot listen on ${list}`, listeners: prepared.failures },
        table.generation,
      );
    }
    try {
      await this.directory.write(ROUTES_FILE, body);
    } catch (error) {
      prepared.undo();
      return this.refuse(
        { code: "disk", message: `cannot store the routes: ${terse(error)}` },
        table.generation,
      );
    }
    await prepared.apply();
    this.routesApplied = applied;
    this.watch(table);
    this.options.log.info("routes applied", { generation: table.generation, routes: table.routes.length });
    return applied;
  }

  private watch({ routes }: RouteTable): void {
    this.health.use(routes);
    this.use.keep(new Set(routes.map(({ id }) => id)));
  }

  private async putCertificates(body: Uint8Array): Promise<Applied | Refusal> {
    const parsed = parse(body, checkCertificateSet);
    if ("code" in parsed) return this.refuse(parsed, -1);
    const set: CertificateSet = parsed.value;
    try {
      await Certificates.load(set);
    } catch (error) {
      return this.refuse({ code: "invalid", message: terse(error) }, set.generation);
    }
    const applied: Applied = { generation: set.generation, sha256: sha256(body) };
    const order = this.order(applied, this.certificatesApplied);
    if (order === "same") return applied;
    if (order === "stale") return this.refuse(stale(this.certificatesApplied), set.generation);
    try {
      await this.directory.write(CERTIFICATES_FILE, body);
    } catch (error) {
      return this.refuse(
        { code: "disk", message: `cannot store the certificates: ${terse(error)}` },
        set.generation,
      );
    }
    await this.carrier.useCertificates(set);
    this.certificatesApplied = applied;
    return applied;
  }

  private order(given: Applied, serving: Applied): "newer" | "same" | "stale" {
    if (given.generation > serving.generation) return "newer";
    return given.generation === serving.generation && given.sha256 === serving.sha256 ? "same" : "stale";
  }

  private refuse(refusal: Refusal, generation: number): Refusal {
    this.lastRefusal = { ...refusal, at: new Date().toISOString(), generation };
    this.options.log.warn("refused a change", { code: refusal.code, problem: refusal.message });
    return refusal;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => {});
    return result;
  }
}

function parse<T>(body: Uint8Array, check: (value: unknown) => T): { value: T } | Refusal {
  try {
    return { value: check(JSON.parse(Buffer.from(body).toString())) };
  } catch (error) {
    return { code: "invalid", message: terse(error) };
  }
}

function stale(serving: Applied): Refusal {
  return { code: "stale_generation", message: `generation ${serving.generation} serves already` };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
