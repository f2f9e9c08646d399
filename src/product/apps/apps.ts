import { ulid } from "ulid";
import { setHeader } from "../../engine/site/headers-file.ts";
import { patternFault } from "../../engine/site/path-pattern.ts";
import { conflict, DiploError, invalid } from "../../errors.ts";
import type { JobRunner } from "../../jobs/job-runner.ts";
import type { Store } from "../../store/store.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { laneOf } from "../environments/environment-lane.ts";
import { type Environment, type Environments, refOf } from "../environments/environments.ts";
import { type EnvironmentSettings, laidOver, type SettingsChanges } from "../environments/settings.ts";
import type { Instances } from "../instances/instances.ts";
import { bytesOf, ofRelease } from "../releases/release-spec.ts";
import type { ReleaseRow, Releases } from "../releases/releases.ts";
import type { Routes } from "../routes/routes.ts";
import { iso } from "../schema.ts";
import { sourceBody } from "../sources/source-body.ts";
import type { App } from "./app.ts";
import { type DestroyParts, destroyJob } from "./destroy-job.ts";

export interface AppsOptions extends DestroyParts {
  store: Store;
  jobs: JobRunner;
  environments: Environments;
  deployments: Deployments;
  releases: Releases;
  instanceService: Instances;
  routes: Routes;
}

/** The smallest memory limit that engines take. */
const MIN_MEMORY_BYTES = 6 * 1024 ** 2;

/** What people deploy. */
export class Apps {
  constructor(private readonly options: AppsOptions) {
    options.jobs.register(destroyJob(options));
  }

  list(): App[] {
    return this.options.environments.all().map((environment) => this.body(environment));
  }

  get(ref: string): App {
    return this.body(this.options.environments.find(ref));
  }

  async create(name: string, by: string): Promise<App> {
    if (this.options.environments.lookup(name))
      throw conflict("app_exists", `the app "${name}" exists already`, "Choose another name.");
    return this.body(await this.options.environments.create(name, by));
  }

  /** Changes what the next release is made with, and makes it when the app has one. */
  async change(ref: string, changes: SettingsChanges, by: string): Promise<App> {
    const { environments, deployments, store, routes } = this.options;
    const environment = environments.find(ref);
    const before = environment.settings;
    const settings = laidOver(before, changes);
    if (bytesOf(settings.limits.memory) < MIN_MEMORY_BYTES)
      throw invalid(
        "limits.memory",
        `${settings.limits.memory} is less than an engine can give`,
        "At least 6m.",
      );
    refuseBadHeaders(settings.static.headers);
    store.transaction(() => {
      environments.changeSettings(environment.id, settings);
      if (JSON.stringify(ofRelease(settings)) !== JSON.stringify(ofRelease(before)))
        deployments.ofConfigChange(environment, by);
    });
    // What routes carry needs no release; should the proxy be away, the next look of healing brings it.
    await routes.publish().catch(() => {});
    return this.get(ref);
  }

  /** Everything of the app goes, except its volumes unless `destroy_data`. */
  destroy(
    input: { app: string; confirm?: string; destroy_data?: boolean },
    by: string,
  ): { job_id: string; kept_volumes: string[] } {
    const { environments, store, jobs, deployments, volumes } = this.options;
    const environment = environments.find(input.app);
    if (input.confirm !== environment.app)
      throw invalid(
        "confirm",
        `must be "${environment.app}"`,
        "Destroying cannot be undone; say the app's name again.",
      );
    // Should the job have failed, asking again is the way on.
    if (environment.destroying && this.isBeingDestroyed(environment.app_id))
      throw conflict("app_destroying", `${environment.app} is being destroyed already`);
    const all = environments.ofApp(environment.app_id);
    const kept = input.destroy_data ? [] : all.flatMap((each) => volumes.engineNames(each.id));
    const id = ulid();
    store.transaction(() => {
      store.run("update apps set destroying_at = $now where id = $id", {
        id: environment.app_id,
        now: Date.now(),
      });
      jobs.enqueue({
        id,
        kind: "destroy",
        lane: laneOf(all[0]?.id ?? environment.id),
        subject: environment.app_id,
        step: "withdrawing",
        state: {
          app_id: environment.app_id,
          app: environment.app,
          destroy_data: input.destroy_data ?? false,
        },
        createdBy: by,
      });
    });
    for (const each of all) this.stopDeploying(deployments, each);
    return { job_id: id, kept_volumes: kept };
  }

  private isBeingDestroyed(appId: string): boolean {
    return (
      this.options.store.get(
        "select 1 from jobs where kind = 'destroy' and subject = $appId and status in ('queued', 'running')",
        { appId },
      ) !== null
    );
  }

  private stopDeploying(deployments: Deployments, environment: Environment): void {
    for (const id of deployments.allOpen(environment.id))
      try {
        deployments.cancel(id, "the app is being destroyed", "diplo");
      } catch (error) {
        // It ended meanwhile, or is past cancelling and ends in a moment; the destroy job waits its turn.
        if (!(error instanceof DiploError) || error.code !== "too_late") throw error;
      }
  }

  private body(environment: Environment): App {
    const { deployments, releases, instanceService, routes, runtimes } = this.options;
    const current = releases.current(environment.id);
    const last = deployments.last(environment.id);
    const live = current ? this.liveBody(environment, current) : null;
    const urls = routes.addressesOf(environment).map((address) => address.url);
    return {
      id: environment.app_id,
      name: environment.app,
      environment: environment.name,
      status: instanceService.statusOf(environment),
      url: urls[0] ?? "",
      urls,
      port: environment.port,
      source: sourceBody(environment.source),
      release: current?.number ?? null,
      commit: live?.commit ?? null,
      commit_message: live?.commit_message ?? null,
      deployed_at: current ? iso(current.live_at ?? current.created_at) : null,
      deployed_by: current?.created_by ?? null,
      deployment_id: deployments.open(environment.id)?.id ?? null,
      error: last?.status === "failed" ? last.error : null,
      instances: instanceService.counts(environment),
      runtime_type: runtimes.current?.type ?? "docker",
      settings: environment.settings,
      created_at: iso(environment.created_at),
    };
  }

  private liveBody(environment: Environment, current: ReleaseRow) {
    return this.options.releases.get(refOf(environment), current.number);
  }
}

/** A header that could never be sent is said now, not with the next build. */
function refuseBadHeaders(headers: EnvironmentSettings["static"]["headers"]): void {
  for (const [path, values] of Object.entries(headers)) {
    const rule = { path, set: [], remove: [] };
    const fault =
      patternFault(path) ??
      Object.entries(values)
        .map(([name, value]) => setHeader(rule, name, value))
        .find((found) => found !== null);
    if (fault) throw invalid("static.headers", `${path}: ${fault}`);
  }
}
