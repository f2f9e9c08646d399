import { terse } from "../../errors.ts";
import type { ProxyState } from "../../proxy/protocol.ts";
import { isOpen, laneOf } from "../environments/environment-lane.ts";
import type { Environment } from "../environments/environments.ts";
import { type InstanceRow, isContainer } from "../instances/instance-rows.ts";
import { Poller } from "../poller.ts";
import { enqueueSleep, sleepJob } from "./sleep-job.ts";
import { livingEnvironment, type SleepParts } from "./sleep-parts.ts";
import { enqueueWake, wakeJob } from "./wake-job.ts";

/** How soon an app that was told to sleep when idle is looked at, at the latest and at the earliest. */
const LATEST_MS = 10_000;
const EARLIEST_MS = 1_000;

/**
 * Puts apps to sleep that nobody uses for their `idle_timeout_s`, and wakes them when somebody asks. What was used when
 * is the proxy's to know: it carries every request and lives on while control is away, so a report that was missed
 * never makes a busy app look idle.
 */
export class IdleWatch {
  private readonly poller: Poller;

  constructor(private readonly parts: SleepParts) {
    parts.jobs.register(sleepJob(parts));
    parts.jobs.register(wakeJob(parts));
    this.poller = new Poller({
      look: () => this.look(),
      failed: (error) => {
        parts.log.warn("could not look for idle apps", { error: terse(error) });
        return LATEST_MS;
      },
    });
  }

  start(): void {
    this.poller.next(EARLIEST_MS);
  }

  stop(): void {
    this.poller.stop();
  }

  /** A request waits at this route. Any number of calls start the app once. */
  wake(routeId: string): void {
    const environment = livingEnvironment(this.parts, environmentOf(routeId));
    if (!environment) return;
    enqueueWake(this.parts, environment, "a request");
    this.poller.next(EARLIEST_MS);
  }

  /** Puts to sleep what is idle; answers in how many milliseconds to look again. */
  async look(): Promise<number> {
    const candidates = this.candidates();
    if (candidates.length === 0) return this.isAnyWaking() ? EARLIEST_MS : LATEST_MS;
    const state = await this.parts.routes.state();
    let soonestMs = LATEST_MS;
    for (const { environment, web } of candidates) {
      const leftMs = (environment.settings.idle_timeout_s ?? 0) * 1000 - this.idleMs(environment, web, state);
      if (leftMs > 0) soonestMs = Math.min(soonestMs, leftMs);
      else this.putToSleep(environment, web);
    }
    return Math.max(EARLIEST_MS, soonestMs);
  }

  /** Environments that may sleep, with the web instances that serve, while nothing else is done with them. */
  private candidates(): { environment: Environment; web: InstanceRow[] }[] {
    const { environments, instances } = this.parts;
    return environments
      .all()
      .filter(
        ({ settings, desired, destroying }) =>
          settings.idle_timeout_s !== null && desired === "running" && !destroying,
      )
      .filter(({ id }) => !isOpen(this.parts, id, ["deployment", "wake", "sleep", "destroy"]))
      .map((environment) => {
        this.finishSleep(environment);
        const web = instances
          .present(environment.id)
          // Files that the proxy serves use nothing while nobody asks.
          .filter((row) => row.process === "web" && row.routed === 1 && isContainer(row));
        return { environment, web };
      })
      .filter(({ web }) => web.length > 0);
  }

  private isAnyWaking(): boolean {
    return (
      this.parts.store.get("select 1 from jobs where kind = 'wake' and status in ('queued', 'running')") !==
      null
    );
  }

  /** The engine may have been away when it was to stop what sleeps. */
  private finishSleep(environment: Environment): void {
    const awake = this.parts.instances.asleep(environment.id).filter((row) => row.observed !== "stopped");
    if (awake.length > 0)
      enqueueSleep(
        this.parts,
        environment,
        awake.map(({ id }) => id),
        "stopping",
      );
  }

  private putToSleep(environment: Environment, web: InstanceRow[]): void {
    this.parts.log.info("putting an idle app to sleep", {
      app: environment.app,
      environment: environment.name,
    });
    enqueueSleep(
      this.parts,
      environment,
      web.map(({ id }) => id),
    );
  }

  /** Since the last use, as far as anybody knows: what nobody knows of counts as used. */
  private idleMs({ id }: Environment, web: InstanceRow[], state: ProxyState): number {
    if (web.some((row) => (state.in_flight[row.id] ?? 0) > 0)) return 0;
    const uses = Object.entries(state.last_used).filter(([route]) => environmentOf(route) === id);
    const since = Math.max(
      Date.parse(state.started_at),
      ...uses.map(([, at]) => Date.parse(at)),
      ...web.map((row) => row.created_at),
      this.lastChange(id),
    );
    return Date.now() - since;
  }

  /** When the app was last deployed, restarted or woken. */
  private lastChange(environmentId: string): number {
    const { store } = this.parts;
    const row = store.get<{ at: number | null }>(
      "select max(finished_at) as at from jobs where lane = $lane and kind in ('deployment', 'wake')",
      { lane: laneOf(environmentId) },
    );
    return row?.at ?? 0;
  }
}

/** A route's id begins with its environment's. */
function environmentOf(routeId: string): string {
  return routeId.split("/", 1)[0] ?? "";
}
