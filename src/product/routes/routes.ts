import { createHash, randomBytes } from "node:crypto";
import { type Config, paths } from "../../config.ts";
import { DiploError, terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { ProxyState, RouteStatus } from "../../proxy/protocol.ts";
import type { Store } from "../../store/store.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import type { InstanceRow, InstanceRows } from "../instances/instance-rows.ts";
import type { AppLogLine } from "../instances/merge-logs.ts";
import type { Releases } from "../releases/releases.ts";
import { lanAddress } from "../system/lan-address.ts";
import { urlHost } from "../system/url-host.ts";
import { type AccessLogOptions, AccessLogReader } from "./access-log-reader.ts";
import type { ProxyClient } from "./proxy-client.ts";
import { hostOf, type RoutedEnvironment, type RoutedInstance, renderRouteTable } from "./route-table.ts";

export interface RoutesOptions {
  store: Store;
  settings: Config;
  environments: Environments;
  releases: Releases;
  instances: InstanceRows;
  proxy: ProxyClient;
  /** Names of Diplo's own cookies, kept away from apps. */
  ownCookies: string[];
  log: Log;
}

const KEPT_GENERATIONS = 200;

/** The one writer of routes: renders the whole table from committed rows, pushes it, and waits for the acknowledgement. */
export class Routes {
  private queue: Promise<unknown> = Promise.resolve();

  private readonly accessLogs: AccessLogReader;

  constructor(private readonly options: RoutesOptions) {
    this.accessLogs = new AccessLogReader(paths.proxyDirectory(options.settings.data));
  }

  /**
   * Makes the data plane serve what the database says. Answers when it does. Calls are taken one after another,
   * so that generations never overtake each other.
   */
  publish(): Promise<void> {
    const mine = this.queue.then(() => this.push());
    this.queue = mine.catch(() => {});
    return mine;
  }

  /** The instance that answers a request which really goes through the proxy's own port, with its status. */
  async probe(
    environment: Environment,
    path: string,
    timeoutMs: number,
  ): Promise<{ instance: string | null; status: number; error: string | null }> {
    const { settings } = this.options;
    const host = urlHost(settings.http.host, "127.0.0.1");
    const response = await fetch(`http://${host}:${environment.port}${path}`, {
      headers: {
        host: hostOf(environment, settings),
        "x-diplo-probe": this.probeToken(),
        connection: "close",
      },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return {
      instance: response.headers.get("x-diplo-instance"),
      status: response.status,
      error: response.headers.get("x-diplo-error"),
    };
  }

  state(): Promise<ProxyState> {
    return this.options.proxy.state();
  }

  /** What the proxy wrote down of the app's requests. */
  accessLog(app: string, options: AccessLogOptions): AsyncIterable<AppLogLine> {
    return this.accessLogs.lines(this.options.environments.find(app), options);
  }

  /** An environment is destroyed, and what was written down of its requests with it. */
  forgetAccessLog(environment: Environment): Promise<void> {
    return this.accessLogs.remove(environment);
  }

  /** Names and ports an app answers at; what a browser on the LAN should try comes first. */
  addresses(app: string): { name: string; url: string; kind: "host" | "port" }[] {
    return this.addressesOf(this.options.environments.find(app));
  }

  addressesOf(environment: Environment): { name: string; url: string; kind: "host" | "port" }[] {
    const { settings, store } = this.options;
    const suffix = settings.http.port === 80 ? "" : `:${settings.http.port}`;
    const names = [
      ...store
        .all<{ host: string }>(
          "select host from domains where environment_id = $id and verified_at is not null",
          {
            id: environment.id,
          },
        )
        .map((row) => row.host),
      hostOf(environment, settings),
    ];
    const address = urlHost(settings.http.host, lanAddress());
    return [
      {
        name: `${address}:${environment.port}`,
        url: `http://${address}:${environment.port}`,
        kind: "port" as const,
      },
      ...names.map((name) => ({ name, url: `http://${name}${suffix}`, kind: "host" as const })),
    ];
  }

  /** The newest generation and what became of it. */
  generation(): { generation: number; acked: boolean; error: string | null } | null {
    const row = this.options.store.get<{ generation: number; acked_at: number | null; error: string | null }>(
      "select generation, acked_at, error from route_generations order by generation desc limit 1",
    );
    return row ? { generation: row.generation, acked: row.acked_at !== null, error: row.error } : null;
  }

  private async push(): Promise<void> {
    const { store, proxy } = this.options;
    const table = this.render();
    const sha256 = createHash("sha256").update(JSON.stringify(table)).digest("hex");
    const last = store.get<{ generation: number; sha256: string; acked_at: number | null }>(
      "select generation, sha256, acked_at from route_generations order by generation desc limit 1",
    );
    const known = last !== null && last.sha256 === sha256;
    if (known && last.acked_at !== null && (await this.serves(last.generation))) return;
    const generation = await this.nextGeneration(last?.generation ?? 0);
    this.recordGeneration(generation, sha256);
    try {
      await proxy.putRoutes({ ...table, generation });
      store.run("update route_generations set acked_at = $now, error = null where generation = $generation", {
        generation,
        now: Date.now(),
      });
    } catch (error) {
      store.run("update route_generations set error = $error where generation = $generation", {
        generation,
        error: terse(error),
      });
      throw error;
    }
  }

  private async serves(generation: number): Promise<boolean> {
    const state = await this.options.proxy.state().catch(() => null);
    return state?.generation === generation;
  }

  // A restored database may know a lower generation than the proxy serves.
  private async nextGeneration(last: number): Promise<number> {
    const state = await this.options.proxy.state().catch(() => null);
    return Math.max(last, state?.generation ?? 0) + 1;
  }

  private recordGeneration(generation: number, sha256: string): void {
    const { store } = this.options;
    store.transaction(() => {
      store.run(
        "insert into route_generations (generation, sha256, created_at) values ($generation, $sha256, $now)",
        { generation, sha256, now: Date.now() },
      );
      store.run("delete from route_generations where generation < $before", {
        before: generation - KEPT_GENERATIONS,
      });
    });
  }

  private render() {
    const { environments, settings, ownCookies } = this.options;
    const all = environments.all().filter((environment) => !environment.destroying);
    return renderRouteTable(
      all.map((environment) => this.routed(environment)),
      { settings, probeToken: this.probeToken(), ownCookies },
    );
  }

  private routed(environment: Environment): RoutedEnvironment {
    const { instances, store } = this.options;
    const rows = instances
      .present(environment.id)
      // A damaged site is no target at all: its instance is put back when it was mended.
      .filter(
        (row) =>
          row.routed === 1 && row.process === "web" && (row.site === null || row.observed !== "crashed"),
      );
    const serving = rows[0] ? this.options.releases.byId(rows[0].release_id) : null;
    return {
      environment,
      health: serving?.spec.settings.health ?? null,
      status: this.status(environment, rows.length),
      instances: rows.map((row) => this.target(environment, row)),
      domains: store
        .all<{ host: string; path: string; strip_path: number }>(
          "select host, path, strip_path from domains where environment_id = $id and verified_at is not null order by host, path",
          { id: environment.id },
        )
        .map((row) => ({ ...row, strip_path: row.strip_path === 1 })),
    };
  }

  private target(environment: Environment, row: InstanceRow): RoutedInstance {
    const release = this.options.releases.byId(row.release_id);
    const weight = this.options.store.get<{ weight: number }>(
      "select weight from traffic where environment_id = $id and process = 'web' and release_id = $releaseId",
      { id: environment.id, releaseId: row.release_id },
    );
    const known = { id: row.id, release: release.number, weight: Math.max(1, weight?.weight ?? 100) };
    if (row.site !== null) return { ...known, site: row.site };
    return {
      ...known,
      host: row.host_port === null ? (row.address as string) : "127.0.0.1",
      port: row.host_port ?? release.spec.port,
    };
  }

  private status(environment: Environment, routed: number): RouteStatus {
    if (environment.desired === "stopped") return "stopped";
    if (routed > 0) return "running";
    if (this.options.instances.asleep(environment.id).length > 0) return "sleeping";
    const open = this.options.store.get(
      `select 1 from jobs j join deployments d on d.job_id = j.id
       where d.environment_id = $id and j.status in ('queued', 'running')`,
      { id: environment.id },
    );
    return open ? "starting" : "failed";
  }

  private probeToken(): string {
    const { store } = this.options;
    const known = store.setting("probe_token");
    if (known) return known;
    const token = randomBytes(24).toString("base64url");
    store.setSetting("probe_token", token);
    return token;
  }
}

/** A probe that reached no instance, or the wrong one, in words. */
export function probeFailed(got: {
  instance: string | null;
  status: number;
  error: string | null;
}): DiploError {
  return new DiploError(
    "probe_failed",
    `through the proxy: ${got.status} ${got.error ?? ""} from ${got.instance ?? "nobody"}`,
  );
}
