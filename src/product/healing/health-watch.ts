import type { Config } from "../../config.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import { terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { probe } from "../deployments/probe.ts";
import type { Environments } from "../environments/environments.ts";
import type { InstanceRow, InstanceRows } from "../instances/instance-rows.ts";
import type { Releases } from "../releases/releases.ts";
import { hostOf } from "../routes/route-table.ts";
import type { Routes } from "../routes/routes.ts";

export interface HealthWatchOptions {
  settings: Config;
  runtimes: Runtimes;
  environments: Environments;
  releases: Releases;
  instances: InstanceRows;
  routes: Routes;
  log: Log;
}

/** Until something runs there is little to look at. */
const IDLE_MS = 10_000;

interface Pulse {
  dueAt: number;
  misses: number;
}

/** Asks every serving web instance at its interval; one that keeps failing leaves the routes while another is well. */
export class HealthWatch {
  private readonly pulses = new Map<string, Pulse>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;

  constructor(private readonly options: HealthWatchOptions) {}

  start(): void {
    this.next(IDLE_MS);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  /** Asks those that are due. */
  async look(now = performance.now()): Promise<void> {
    const rows = this.options.instances.allPresent().filter(isServing);
    for (const id of this.pulses.keys()) if (!rows.some((row) => row.id === id)) this.pulses.delete(id);
    const due = rows.filter((row) => this.pulseOf(row, now).dueAt <= now);
    const changed = await Promise.all(due.map((row) => this.ask(row, now)));
    if (changed.includes(true)) await this.options.routes.publish();
  }

  private next(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(async () => {
      await this.look().catch((error) =>
        this.options.log.warn("health watch could not look", { error: terse(error) }),
      );
      const soonest = Math.min(
        ...[...this.pulses.values()].map((pulse) => pulse.dueAt - performance.now()),
        IDLE_MS,
      );
      this.next(Math.max(200, soonest));
    }, afterMs);
    this.timer.unref();
  }

  private pulseOf(row: InstanceRow, now: number): Pulse {
    const known = this.pulses.get(row.id);
    if (known) return known;
    const { interval_s } = this.options.releases.byId(row.release_id).spec.settings.health;
    const pulse = { dueAt: now + interval_s * 1000, misses: 0 };
    this.pulses.set(row.id, pulse);
    return pulse;
  }

  /** True when the instance became well or unwell. */
  private async ask(row: InstanceRow, now: number): Promise<boolean> {
    const { environments, releases, instances, runtimes, settings, log } = this.options;
    const { spec } = releases.byId(row.release_id);
    const { health } = spec.settings;
    const pulse = this.pulseOf(row, now);
    pulse.dueAt = now + health.interval_s * 1000;
    const runtime = await runtimes.usable();
    const endpoint = runtime.endpoint({ address: row.address, host_port: row.host_port }, spec.port);
    const result = await probe(endpoint, health, hostOf(environments.byId(row.environment_id), settings));
    pulse.misses = result.healthy ? 0 : pulse.misses + 1;
    const fresh = instances.byId(row.id);
    if (!fresh || !isServing(fresh)) return false;
    const observed =
      pulse.misses >= health.unhealthy_after ? "unhealthy" : pulse.misses === 0 ? "running" : fresh.observed;
    if (observed === fresh.observed) return false;
    log[observed === "unhealthy" ? "warn" : "info"](`instance is ${observed}`, {
      instance: row.name,
      last: result.message,
    });
    instances.observe(fresh, observed, null);
    return true;
  }
}

function isServing(row: InstanceRow): boolean {
  return (
    row.process === "web" &&
    row.routed === 1 &&
    row.desired === "running" &&
    (row.observed === "running" || row.observed === "unhealthy")
  );
}
