import { terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { type InstanceRow, type InstanceRows, isContainer } from "../instances/instance-rows.ts";
import { Poller } from "../poller.ts";
import type { Releases } from "../releases/releases.ts";
import type { Routes } from "../routes/routes.ts";

export interface HealthWatchOptions {
  releases: Releases;
  instances: InstanceRows;
  routes: Routes;
  log: Log;
}

/** Looked at least this often while something serves, however rarely its health is checked; also when nothing does. */
const SLOWEST_MS = 10_000;

/**
 * Writes down which serving instances fail their health check, for whoever looks at the app. The proxy is the one that
 * asks them and passes them over: it does so without control, too.
 */
export class HealthWatch {
  private readonly poller: Poller;

  constructor(private readonly options: HealthWatchOptions) {
    this.poller = new Poller({
      look: () => this.look(),
      failed: (error) => {
        options.log.warn("health watch could not look", { error: terse(error) });
        return SLOWEST_MS;
      },
    });
  }

  start(): void {
    this.poller.next(SLOWEST_MS);
  }

  stop(): void {
    this.poller.stop();
  }

  /** Answers in how many milliseconds something new may be known. */
  async look(): Promise<number> {
    if (this.serving().length === 0) return SLOWEST_MS;
    const { unhealthy } = await this.options.routes.state();
    const rows = this.serving();
    for (const row of rows) this.note(row, unhealthy[row.id]);
    return Math.min(SLOWEST_MS, ...rows.map((row) => this.intervalMs(row)));
  }

  private serving(): InstanceRow[] {
    return this.options.instances.allPresent().filter(isServing);
  }

  private note(row: InstanceRow, problem: string | undefined): void {
    const observed = problem === undefined ? "running" : "unhealthy";
    if (observed === row.observed) return;
    const { log, instances } = this.options;
    log[problem === undefined ? "info" : "warn"](`instance is ${observed}`, { instance: row.name, problem });
    instances.observe(row, observed, null);
  }

  private intervalMs(row: InstanceRow): number {
    return this.options.releases.byId(row.release_id).spec.settings.health.interval_s * 1000;
  }
}

function isServing(row: InstanceRow): boolean {
  return (
    // Files are looked after by healing: there is nothing to ask that could be slow or wrong.
    isContainer(row) &&
    row.process === "web" &&
    row.routed === 1 &&
    row.desired === "running" &&
    (row.observed === "running" || row.observed === "unhealthy")
  );
}
