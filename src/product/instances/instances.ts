import type { Config } from "../../config.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { Sites } from "../../engine/site/sites.ts";
import { conflict, invalid } from "../../errors.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { AppStatus } from "../apps/app.ts";
import type { ConfigVars } from "../config/config-vars.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { probe } from "../deployments/probe.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import type { ReleaseSpec } from "../releases/release-spec.ts";
import type { ReleaseRow, Releases } from "../releases/releases.ts";
import { hostOf } from "../routes/route-table.ts";
import type { Routes } from "../routes/routes.ts";
import { iso } from "../schema.ts";
import type { Instance } from "./instance.ts";
import { type InstanceRow, type InstanceRows, isContainer } from "./instance-rows.ts";
import { type AppLogLine, type LogOptions, mergeLogs } from "./merge-logs.ts";
import { type OneOff, runOneOff } from "./run-one-off.ts";

export interface InstancesOptions {
  store: Store;
  settings: Config;
  runtimes: Runtimes;
  environments: Environments;
  releases: Releases;
  config: ConfigVars;
  vault: Vault;
  rows: InstanceRows;
  sites: Sites;
  routes: Routes;
  deployments: Deployments;
}

interface Formation {
  process: string;
  /** `proxy`: files that Diplo serves itself, without a container. */
  served_by: "container" | "proxy";
  quantity: number;
  command: string[] | null;
  from: string;
}

/** What runs: instances by process, how many are wanted, their health and their logs. */
export class Instances {
  constructor(private readonly options: InstancesOptions) {}

  list(app: string): Instance[] {
    const environment = this.options.environments.find(app);
    return this.options.rows.present(environment.id).map((row) => this.body(row));
  }

  formation(app: string): Formation[] {
    return this.formationOf(this.options.environments.find(app));
  }

  scale(
    app: string,
    quantities: Record<string, number>,
    by: string,
  ): { formation: Formation[]; deployment_id: string | null } {
    const { environments, store, deployments } = this.options;
    const environment = environments.find(app);
    const known = this.formationOf(environment);
    if (known.length === 0)
      throw conflict("never_deployed", `${app} has no processes yet`, "Deploy it first.");
    for (const name of Object.keys(quantities))
      if (!known.some((entry) => entry.process === name))
        throw invalid(
          name,
          "is no process of this app",
          `It has ${known.map((entry) => entry.process).join(", ")}.`,
        );
    this.refuseManySites(environment, quantities);
    const id = store.transaction(() => {
      for (const [name, quantity] of Object.entries(quantities))
        store.run(
          `insert into processes (environment_id, name, quantity) values ($id, $name, $quantity)
           on conflict (environment_id, name) do update set quantity = $quantity`,
          { id: environment.id, name, quantity },
        );
      return deployments.ofCurrentRelease(environment, by, { trigger: "scale" });
    });
    return { formation: this.formationOf(environment), deployment_id: id };
  }

  private refuseManySites(environment: Environment, quantities: Record<string, number>): void {
    const { releases } = this.options;
    const release = releases.current(environment.id) ?? releases.lastLive(environment.id);
    if (!release?.spec.site) return;
    for (const [name, quantity] of Object.entries(quantities))
      if (quantity > 1)
        throw invalid(
          name,
          "is files that the proxy serves: there is one of it, which every core of the box answers for",
          "To run containers instead: diplo apps:set --static.serve container, then diplo deploy:again.",
        );
  }

  restart(app: string, by: string): { deployment_id: string | null } {
    const environment = this.deployed(app);
    if (environment.desired === "stopped") return this.start(app, by);
    return {
      deployment_id: this.options.deployments.ofCurrentRelease(environment, by, {
        trigger: "restart",
        fresh: true,
      }),
    };
  }

  stop(app: string, _by: string): { deployment_id: string | null } {
    this.options.deployments.stop(this.deployed(app));
    return { deployment_id: null };
  }

  start(app: string, by: string): { deployment_id: string | null } {
    const environment = this.deployed(app);
    this.options.environments.setDesired(environment.id, "running");
    return {
      deployment_id: this.options.deployments.ofCurrentRelease(environment, by, { trigger: "start" }),
    };
  }

  /** Asks every web instance now. */
  async health(app: string) {
    const { environments, rows, releases, settings, runtimes } = this.options;
    const environment = environments.find(app);
    const web = rows
      .present(environment.id)
      .filter((row) => row.process === "web" && row.desired === "running");
    const instances = await Promise.all(
      web.map(async (row) => {
        const { spec } = releases.byId(row.release_id);
        if (!isContainer(row)) return this.siteHealth(environment, row, spec);
        const runtime = await runtimes.usable();
        const facts = await runtime.inspect(row.name);
        if (facts?.state !== "running") return notRunning(row, `the container is ${facts?.state ?? "gone"}`);
        const endpoint = runtime.endpoint(facts, spec.port);
        const result = await probe(endpoint, spec.settings.health, hostOf(environment, settings));
        return {
          id: row.id,
          process: row.process,
          healthy: result.healthy,
          http_status_code: result.status,
          response_time_ms: Math.round(result.durationMs * 10) / 10,
          message: result.message,
        };
      }),
    );
    const healthy = instances.length > 0 && instances.every((instance) => instance.healthy);
    const some = instances.some((instance) => instance.healthy);
    const sleeps = instances.length === 0 && rows.asleep(environment.id).length > 0;
    return {
      healthy,
      status: healthy
        ? "healthy"
        : some
          ? "degraded"
          : instances.length > 0
            ? "unhealthy"
            : sleeps
              ? "sleeping"
              : "container_not_running",
      app_status: this.statusOf(environment),
      message:
        instances.find((instance) => !instance.healthy)?.message ??
        (healthy ? "every instance answers" : sleeps ? "the next request wakes it" : "nothing runs"),
      instances,
    };
  }

  /** Files are whole, and the proxy serves them: asked the way a browser does. */
  private async siteHealth(environment: Environment, row: InstanceRow, { settings }: ReleaseSpec) {
    const { routes, sites } = this.options;
    const fault = await sites.fault(row.site as string);
    if (fault !== null) return notRunning(row, `the site is damaged: ${fault}`);
    const begun = performance.now();
    const got = await routes
      .probe(environment, settings.health.path, settings.health.timeout_s * 1000)
      .catch(() => null);
    if (got?.instance !== row.id)
      return notRunning(
        row,
        got ? `the proxy does not serve it (${got.error ?? got.status})` : "the proxy does not answer",
      );
    return {
      id: row.id,
      process: row.process,
      healthy: got.status < 500,
      http_status_code: got.status,
      response_time_ms: Math.round((performance.now() - begun) * 10) / 10,
      message: `the proxy answers with ${got.status}`,
    };
  }

  /** What a person should read as the app's state (capabilities C3). */
  statusOf(environment: Environment): AppStatus {
    if (environment.destroying) return "destroying";
    const { deployments, rows, releases } = this.options;
    const current = releases.current(environment.id);
    if (deployments.open(environment.id)) return current ? "redeploying" : "deploying";
    if (environment.desired === "stopped") return "stopped";
    if (!current) return deployments.last(environment.id)?.status === "failed" ? "error" : "idle";
    const present = rows.present(environment.id);
    if (present.some((row) => row.desired === "stopped")) return "sleeping";
    const wanted = present.filter((row) => row.desired === "running");
    const running = wanted.filter((row) => row.observed === "running");
    if (running.length === wanted.length) return "running";
    return running.length > 0 ? "degraded" : "error";
  }

  counts(environment: Environment): { wanted: number; running: number } {
    const wanted = this.options.rows.present(environment.id).filter((row) => row.desired === "running");
    return { wanted: wanted.length, running: wanted.filter((row) => row.observed === "running").length };
  }

  /** Lines of all instances, merged by time; with `follow` also of instances that come later. */
  async *logs(app: string, options: LogOptions): AsyncIterable<AppLogLine> {
    const environment = this.options.environments.find(app);
    const present = () => this.options.rows.present(environment.id);
    this.checkHasLog(app);
    const runtime = await this.options.runtimes.usable();
    yield* mergeLogs(runtime, () => present().filter(isContainer), options);
  }

  /** Throws `no_log` for files: a stream of lines that can never come would tell nobody why. */
  checkHasLog(app: string): void {
    const rows = this.options.rows.present(this.options.environments.find(app).id);
    if (rows.length > 0 && !rows.some(isContainer)) throw filesHaveNoLog(app);
  }

  /** A command in a container of its own, of the current release with its config and volumes. */
  async runOnce(app: string, oneOff: OneOff): Promise<{ exit_code: number }> {
    const { environments, releases, config, runtimes } = this.options;
    const environment = environments.find(app);
    const release = releases.current(environment.id) ?? releases.lastLive(environment.id);
    if (!release) throw conflict("never_deployed", `${app} has no release yet`, "Deploy it first.");
    await this.options.vault.ready();
    const values = config.values(environment, release.spec.config);
    return runOneOff({ runtime: await runtimes.usable(), environment, release, config: values }, oneOff);
  }

  private deployed(app: string): Environment {
    const environment = this.options.environments.find(app);
    if (!this.options.releases.current(environment.id))
      throw conflict("never_deployed", `${app} has no release yet`, "Deploy it first.");
    return environment;
  }

  private formationOf(environment: Environment): Formation[] {
    const release =
      this.options.releases.current(environment.id) ?? this.options.releases.lastLive(environment.id);
    const quantities = new Map(
      this.options.store
        .all<{ name: string; quantity: number }>(
          "select name, quantity from processes where environment_id = $id",
          { id: environment.id },
        )
        .map((row) => [row.name, row.quantity]),
    );
    return Object.entries(release?.spec.processes ?? {}).map(([process, { command, from }]) => ({
      process,
      served_by: release?.spec.site ? ("proxy" as const) : ("container" as const),
      quantity: release?.spec.site
        ? Math.min(1, quantities.get(process) ?? 0)
        : (quantities.get(process) ?? 0),
      command,
      from,
    }));
  }

  private body(row: InstanceRow): Instance {
    const release: ReleaseRow = this.options.releases.byId(row.release_id);
    const exit = row.last_exit === null ? null : JSON.parse(row.last_exit);
    return {
      id: row.id,
      name: row.name,
      process: row.process,
      slot: row.slot,
      release: release.number,
      status: statusOfRow(row),
      routed: row.routed === 1,
      served_by: isContainer(row) ? ("container" as const) : ("proxy" as const),
      address:
        row.process === "web" && row.address !== null ? `${row.address}:${release.spec.port}` : row.address,
      restarts: row.restarts,
      last_exit: exit === null ? null : { ...exit, at: iso(exit.at) },
      created_at: iso(row.created_at),
    };
  }
}

function filesHaveNoLog(app: string) {
  return conflict(
    "no_log",
    `${app} is files that the proxy serves: nothing runs that would write a log`,
    `What its build said is in the log of its deployment. Requests: diplo logs ${app} --source router, once its access log is on.`,
  );
}

function statusOfRow({ desired, observed }: InstanceRow): Instance["status"] {
  if (desired === "removed") return "stopping";
  return desired === "stopped" && observed === "stopped" ? "sleeping" : observed;
}

function notRunning(row: InstanceRow, message: string) {
  return {
    id: row.id,
    process: row.process,
    healthy: false,
    http_status_code: null,
    response_time_ms: null,
    message,
  };
}
