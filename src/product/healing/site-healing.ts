import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { Sites } from "../../engine/site/sites.ts";
import { terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { siteFromImage } from "../deployments/build-site.ts";
import type { Environments } from "../environments/environments.ts";
import type { InstanceRow, InstanceRows } from "../instances/instance-rows.ts";
import type { Releases } from "../releases/releases.ts";

export interface SiteHealingOptions {
  runtimes: Runtimes;
  environments: Environments;
  releases: Releases;
  instances: InstanceRows;
  sites: Sites;
  log: Log;
}

/** Sees that the files of every site that serves are whole, and brings back what the image of their build still has. */
export class SiteHealing {
  /** Versions of directories that were found whole: what did not change since is not read again. */
  private readonly whole = new Map<string, number>();

  constructor(private readonly options: SiteHealingOptions) {}

  /** Every file is looked at again: a change inside one leaves its directory's version as it was. */
  distrust(): void {
    this.whole.clear();
  }

  /** Writes down whether the instance's site is whole. */
  async check(row: InstanceRow): Promise<void> {
    const { instances, sites, log } = this.options;
    const site = row.site as string;
    const version = await sites.version(site);
    const known = version !== null && this.whole.get(site) === version;
    const fault = known ? null : await sites.fault(site);
    if (fault !== null && !(await this.mend(row, fault))) {
      if (row.observed !== "crashed") log.error("a site is damaged", { instance: row.name, site, fault });
      return instances.observe(row, "crashed", null);
    }
    const now = await sites.version(site);
    if (now !== null) this.whole.set(site, now);
    instances.observe(row, instances.byId(row.id)?.observed === "starting" ? "starting" : "running", null);
  }

  /** Sites that no build knows: of an app that was destroyed, or of a database that was put back. */
  async forget(): Promise<void> {
    const { sites, releases, log } = this.options;
    const known = releases.knownSites();
    for (const site of await sites.list()) {
      if (known.has(site) || releases.isBeingBuilt(site)) continue;
      await sites.remove(site);
      log.info("a site that no build knows was removed", { site });
    }
  }

  /** False when there is nothing left to mend it from. */
  private async mend(row: InstanceRow, fault: string): Promise<boolean> {
    const { releases, environments, runtimes, log } = this.options;
    const release = releases.byId(row.release_id);
    const { image_tag, plan } = releases.artifacts(release);
    if (image_tag === null) return false;
    try {
      const runtime = await runtimes.usable();
      if (!(await runtime.image(image_tag))) return false;
      await siteFromImage(
        {
          parts: this.options,
          plan,
          settings: release.spec.settings,
          name: row.site as string,
          options: { signal: AbortSignal.timeout(MEND_MS), replace: true },
        },
        { runtime, environment: environments.byId(row.environment_id), image: image_tag },
      );
      log.info("healing wrote a site again from the image of its build", { instance: row.name, was: fault });
      return true;
    } catch (error) {
      log.warn("healing could not write a site again", { instance: row.name, error: terse(error) });
      return false;
    }
  }
}

const MEND_MS = 5 * 60_000;
