import type { ContainerRuntime, InstanceFacts } from "../../engine/runtime/container-runtime.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import { terse } from "../../errors.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import type { Log } from "../../log.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { ConfigVars } from "../config/config-vars.ts";
import { startInstance } from "../deployments/steps/start-step.ts";
import { isOpen } from "../environments/environment-lane.ts";
import { type Environments, networkOf } from "../environments/environments.ts";
import { type InstanceRow, type InstanceRows, isContainer } from "../instances/instance-rows.ts";
import type { Releases } from "../releases/releases.ts";
import type { Routes } from "../routes/routes.ts";
import type { SiteHealing } from "./site-healing.ts";

export interface HealingOptions {
  store: Store;
  runtimes: Runtimes;
  environments: Environments;
  releases: Releases;
  instances: InstanceRows;
  config: ConfigVars;
  vault: Vault;
  routes: Routes;
  sites: Pick<SiteHealing, "check">;
  log: Log;
}

/** Makes observed equal desired: what should run and does not is started again, with back-off. */
export class Healing {
  private readonly attempts = new Map<string, { count: number; notBefore: number }>();
  private busy: Promise<void> | null = null;

  constructor(private readonly options: HealingOptions) {}

  /** One look at everything that should run. Calls while one is under way join it. */
  look(): Promise<void> {
    this.busy ??= this.lookOnce().finally(() => {
      this.busy = null;
    });
    return this.busy;
  }

  private async lookOnce(): Promise<void> {
    const { instances, runtimes, log, routes } = this.options;
    const rows = instances
      .allPresent()
      .filter((row) => row.desired === "running" && !this.inHand(row.environment_id));
    try {
      await this.checkSites(rows);
      // Routes that are refused, for one app's taken port, must not keep all others from being started again.
      await routes
        .publish()
        .catch((error) => log.warn("healing could not publish the routes", { error: terse(error) }));
      if (!rows.some(isContainer)) return;
      const runtime = await runtimes.usable();
      const seen = new Map((await runtime.list()).map((facts) => [facts.name, facts]));
      for (const row of rows.filter(isContainer)) await this.check(runtime, row, seen.get(row.name) ?? null);
    } catch (error) {
      log.warn("healing could not look", { error: terse(error) });
    }
  }

  /** Before the routes are published: a damaged site is no target. */
  private async checkSites(rows: InstanceRow[]): Promise<void> {
    for (const row of rows)
      if (!isContainer(row) && !this.inHand(row.environment_id)) await this.options.sites.check(row);
  }

  private async check(
    runtime: ContainerRuntime,
    row: InstanceRow,
    facts: InstanceFacts | null,
  ): Promise<void> {
    const { instances, log } = this.options;
    // A deployment may have begun while we looked at the others; it owns the environment then. Or it went to sleep.
    if (this.inHand(row.environment_id) || instances.byId(row.id)?.desired !== "running") return;
    if (facts?.state === "running") {
      // Whether it is well is for its health check to say.
      instances.observe(row, row.observed === "unhealthy" ? "unhealthy" : "running", facts);
      this.attempts.delete(row.id);
      return;
    }
    if (facts?.state === "restarting") return;
    instances.observe(row, "crashed", facts);
    if (!this.due(row.id)) return;
    try {
      await this.start(runtime, row);
      log.info("healing started an instance again", { instance: row.name, was: facts?.state ?? "gone" });
    } catch (error) {
      log.warn("healing could not start an instance", { instance: row.name, error: terse(error) });
    }
  }

  private async start(runtime: ContainerRuntime, row: InstanceRow): Promise<void> {
    const environment = this.options.environments.byId(row.environment_id);
    const release = this.options.releases.byId(row.release_id);
    await this.options.vault.ready();
    const config = this.options.config.values(environment, release.spec.config);
    // A network without running containers is what `docker network prune` takes.
    await runtime.ensureNetwork(networkOf(environment));
    await startInstance(
      { parts: { instances: this.options.instances }, runtime, environment, release, config },
      row,
    );
  }

  private due(id: string): boolean {
    const known = this.attempts.get(id) ?? { count: 0, notBefore: 0 };
    if (performance.now() < known.notBefore) return false;
    const count = known.count + 1;
    this.attempts.set(id, { count, notBefore: performance.now() + backoffMs(count) });
    return true;
  }

  /** Something else has the environment in hand. */
  private inHand(environmentId: string): boolean {
    return isOpen(this.options, environmentId, ["deployment", "destroy", "sleep", "wake"]);
  }
}
