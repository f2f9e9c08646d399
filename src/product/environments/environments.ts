import { ulid } from "ulid";
import type { Config } from "../../config.ts";
import { freeSubnet, hostRoutes } from "../../engine/network/address-plan.ts";
import type { NetworkSpec } from "../../engine/runtime/container-runtime.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { SourceSpec } from "../../engine/source/source.ts";
import { conflict, notFound } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import { checkName, hostLabel, joinRef, splitRef } from "../apps/app-name.ts";
import { freePort } from "./ports.ts";
import { DEFAULT_SETTINGS, type EnvironmentSettings, withDefaults } from "./settings.ts";

export interface Environment {
  id: string;
  app_id: string;
  app: string;
  name: string;
  subnet: string;
  settings: EnvironmentSettings;
  source: SourceSpec | null;
  desired: "running" | "stopped";
  /** The app's own port on the box, kept for life. */
  port: number;
  destroying: boolean;
  created_at: number;
}

interface Row {
  id: string;
  app_id: string;
  app: string;
  name: string;
  subnet: string;
  settings: string;
  source: string | null;
  desired: "running" | "stopped";
  port: number;
  destroying_at: number | null;
  created_at: number;
}

const SELECT = `select e.id, e.app_id, a.name as app, e.name, e.subnet, e.settings, e.source, e.desired, p.port,
  a.destroying_at, e.created_at from environments e join apps a on a.id = e.app_id
  join ports p on p.environment_id = e.id`;

export interface EnvironmentsOptions {
  store: Store;
  settings: Config;
  runtimes: Runtimes;
}

/** Environments of apps: their network, their port, and what their next release is made with. */
export class Environments {
  constructor(private readonly options: EnvironmentsOptions) {}

  /** By `name`, `name@environment` or an app's id. Throws `app_not_found`. */
  find(ref: string): Environment {
    const found = this.lookup(ref);
    if (!found) throw notFound("app", ref, "diplo apps lists those there are.");
    return found;
  }

  lookup(ref: string): Environment | null {
    const { app, environment } = splitRef(ref);
    return this.one(`${SELECT} where (a.name = $app or a.id = $app) and e.name = $environment`, {
      app,
      environment,
    });
  }

  byId(id: string): Environment {
    const found = this.one(`${SELECT} where e.id = $id`, { id });
    if (!found) throw notFound("environment", id);
    return found;
  }

  all(): Environment[] {
    return this.options.store.all<Row>(`${SELECT} order by a.name, e.name`).map(fromRow);
  }

  ofApp(appId: string): Environment[] {
    return this.options.store
      .all<Row>(`${SELECT} where e.app_id = $appId order by e.created_at`, { appId })
      .map(fromRow);
  }

  /** Makes the app too when it does not exist yet. Throws `invalid`, `ports_exhausted`, `pool_exhausted`. */
  async create(ref: string, createdBy: string): Promise<Environment> {
    const { app, environment } = splitRef(ref);
    checkName("name", app);
    if (environment !== "production") checkName("name", environment);
    this.refuseLabelClash(app, environment);
    const taken = await this.takenSubnets();
    const { store, settings } = this.options;
    const id = ulid();
    store.transaction(() => {
      // Somebody else may have made it while the engine was asked.
      this.refuseLabelClash(app, environment);
      const appId =
        store.get<{ id: string }>("select id from apps where name = $app", { app })?.id ??
        this.insertApp(app, createdBy);
      store.run(
        `insert into environments (id, app_id, name, type, subnet, settings, created_at)
         values ($id, $appId, $environment, $type, $subnet, $settings, $now)`,
        {
          id,
          appId,
          environment,
          type: environment === "production" ? "production" : "staging",
          subnet: freeSubnet(settings.pool, [...taken, ...this.recordedSubnets()]),
          settings: JSON.stringify(DEFAULT_SETTINGS),
          now: Date.now(),
        },
      );
      store.run("insert into ports (port, environment_id, created_at) values ($port, $id, $now)", {
        port: freePort(settings, this.portsTaken()),
        id,
        now: Date.now(),
      });
    });
    return this.byId(id);
  }

  changeSettings(id: string, settings: EnvironmentSettings): void {
    this.options.store.run("update environments set settings = $settings where id = $id", {
      id,
      settings: JSON.stringify(settings),
    });
  }

  setSource(id: string, source: SourceSpec): void {
    this.options.store.run("update environments set source = $source where id = $id", {
      id,
      source: JSON.stringify(source),
    });
  }

  setDesired(id: string, desired: Environment["desired"]): void {
    this.options.store.run("update environments set desired = $desired where id = $id", { id, desired });
  }

  /** An unused subnet instead of one that turned out to be taken; only while nothing runs in the environment. */
  async moveSubnet(id: string): Promise<Environment> {
    const subnet = freeSubnet(this.options.settings.pool, [
      ...(await this.takenSubnets()),
      ...this.recordedSubnets(),
    ]);
    this.options.store.run("update environments set subnet = $subnet where id = $id", { id, subnet });
    return this.byId(id);
  }

  portsTaken(): Set<number> {
    return new Set(this.options.store.all<{ port: number }>("select port from ports").map((row) => row.port));
  }

  private insertApp(name: string, createdBy: string): string {
    const id = ulid();
    this.options.store.run(
      "insert into apps (id, name, created_by, created_at) values ($id, $name, $createdBy, $now)",
      { id, name, createdBy, now: Date.now() },
    );
    return id;
  }

  // `blog@staging` and an app named `blog-staging` would answer at the same host name.
  private refuseLabelClash(app: string, environment: string): void {
    const label = hostLabel(app, environment);
    const clash = this.all().find((other) => hostLabel(other.app, other.name) === label);
    if (clash)
      throw conflict(
        "app_exists",
        `the host name ${label} belongs to ${clash.app}@${clash.name}`,
        "Choose another name.",
      );
  }

  private async takenSubnets(): Promise<string[]> {
    // With the engine down an app can still be made; its network is checked again when it is built.
    const engine = await this.options.runtimes
      .usable()
      .then((runtime) => runtime.subnets())
      .catch(() => []);
    return [...engine, ...(await hostRoutes())];
  }

  private recordedSubnets(): string[] {
    return this.options.store
      .all<{ subnet: string }>("select subnet from environments")
      .map((row) => row.subnet);
  }

  private one(sql: string, values: Record<string, string>): Environment | null {
    const row = this.options.store.get<Row>(sql, values);
    return row ? fromRow(row) : null;
  }
}

/** How commands and people name it: `blog`, `blog@staging`. */
export function refOf({ app, name }: Pick<Environment, "app" | "name">): string {
  return joinRef(app, name);
}

/** Name of the environment's network at the engine. */
export function networkName(environment: Environment): string {
  return `diplo-${environment.id.toLowerCase()}`;
}

/** The environment's network as the engine is to have it. */
export function networkOf(environment: Environment): NetworkSpec {
  return {
    name: networkName(environment),
    subnet: environment.subnet,
    labels: { app: environment.app, environment: environment.name, environment_id: environment.id },
  };
}

function fromRow(row: Row): Environment {
  const { destroying_at, ...rest } = row;
  return {
    ...rest,
    settings: withDefaults(JSON.parse(row.settings)),
    source: row.source === null ? null : JSON.parse(row.source),
    destroying: destroying_at !== null,
  };
}
