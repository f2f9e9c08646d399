import type { ScheduledTask } from "node-cron";
import { type Config, paths } from "../../config.ts";
import type { GitCache } from "../../engine/source/git-cache.ts";
import { pruneUploads } from "../../engine/source/receive-upload.ts";
import { terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Events } from "../events/events.ts";
import type { RequestSlots } from "../requests/request-slots.ts";
import type { Healing } from "./healing.ts";
import type { HealthWatch } from "./health-watch.ts";
import type { SiteHealing } from "./site-healing.ts";

export interface HousekeepingOptions {
  log: Log;
  healing: Healing;
  health: HealthWatch;
  sites: SiteHealing;
  events: Events;
  gitCache: GitCache;
  requests: RequestSlots;
  settings: Config;
}

const REPOSITORIES_KEPT_MS = 30 * 24 * 3600_000;
const UPLOADS_KEPT_MS = 24 * 3600_000;

/** What happens by the clock. Its jobs are few and coarse: an idle box must be idle. */
export class Housekeeping {
  private tasks: ScheduledTask[] = [];
  private stopped = false;

  constructor(private readonly options: HousekeepingOptions) {}

  start(): void {
    this.options.health.start();
    // Loaded after the box answers: nothing is due in the first second.
    void import("node-cron").then((cron) => {
      if (this.stopped) return;
      const every = (expression: string, name: string, work: () => Promise<void> | void) =>
        this.tasks.push(
          cron.schedule(expression, () => this.guarded(name, work), {
            name,
            noOverlap: true,
            unref: true,
            timezone: "UTC",
          }),
        );
      every("*/30 * * * * *", "healing", () => this.options.healing.look());
      every("17 3 * * *", "forgetting", () => this.forget());
    });
  }

  stop(): void {
    this.stopped = true;
    this.options.health.stop();
    for (const task of this.tasks.splice(0)) void task.destroy();
  }

  private async forget(): Promise<void> {
    const { events, requests, settings, gitCache, sites } = this.options;
    events.forget();
    requests.forget();
    sites.distrust();
    await sites.forget();
    await gitCache.prune(REPOSITORIES_KEPT_MS);
    await pruneUploads(paths.uploads(settings.data), UPLOADS_KEPT_MS);
  }

  private async guarded(name: string, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.error("a regular job failed", { name, error: terse(error) });
    }
  }
}
