import type { Log } from "../log.ts";
import type { InstanceTarget, Route } from "./protocol.ts";
import { type ProbedTarget, probeTarget } from "./target-probe.ts";

export interface ActiveHealthOptions {
  log: Log;
  /** The instances that fail now; called when that changes. */
  changed(failing: ReadonlySet<string>): void;
}

interface Watched extends ProbedTarget {
  instance: string;
  /** On the monotonic clock. */
  dueAt: number;
  asking: boolean;
  misses: number;
  /** What was wrong last; empty when nothing was. */
  problem: string;
}

/** Probes under way at one time: after a pause of the whole machine all are due at once. */
const AT_ONCE = 8;

/**
 * Asks every target of the routes that want it, each at its own moment of the interval, so that many never come
 * together. Runs once for the data plane, in the process that holds the sockets; workers are told what came of it.
 */
export class ActiveHealthChecks {
  private watched = new Map<string, Watched>();
  private failing: ReadonlySet<string> = new Set();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(private readonly options: ActiveHealthOptions) {}

  /** Takes the targets of a table. Those known already keep what is known of them; new ones count as well. */
  use(routes: readonly Route[]): void {
    const before = this.watched;
    this.watched = new Map();
    for (const route of routes)
      for (const target of route.targets) if ("host" in target) this.watch(route, target, before);
    this.tell();
    this.schedule();
  }

  /** Instances that fail, and what was wrong last. */
  get unhealthy(): Record<string, string> {
    const failing = [...this.watched.values()].filter(({ instance }) => this.failing.has(instance));
    return Object.fromEntries(failing.map(({ instance, problem }) => [instance, problem]));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Several routes may lead to one instance: the first one's health counts. */
  private watch(route: Route, target: InstanceTarget, before: Map<string, Watched>): void {
    const { instance, host, port } = target;
    const key = `${instance} ${host} ${port}`;
    const { health } = route;
    if (health === undefined || this.watched.has(key)) return;
    const name = route.hosts.find((each) => !each.startsWith("*.")) ?? `${host}:${port}`;
    const known = before.get(key);
    if (known !== undefined) {
      const dueAt = Math.min(known.dueAt, performance.now() + health.interval_ms);
      this.watched.set(key, Object.assign(known, { name, health, dueAt }));
      return;
    }
    const dueAt = performance.now() + phaseOf(instance) * health.interval_ms;
    const fresh = { dueAt, asking: false, misses: 0, problem: "" };
    this.watched.set(key, { instance, host, port, name, health, ...fresh });
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const waiting = [...this.watched.values()].filter(({ asking }) => !asking);
    if (this.stopped || waiting.length === 0 || this.watched.size - waiting.length >= AT_ONCE) return;
    const soonest = Math.min(...waiting.map(({ dueAt }) => dueAt));
    this.timer = setTimeout(() => this.askThoseDue(), Math.max(0, soonest - performance.now()));
  }

  private askThoseDue(): void {
    const now = performance.now();
    const all = [...this.watched.values()];
    const room = AT_ONCE - all.filter(({ asking }) => asking).length;
    const due = all.filter(({ asking, dueAt }) => !asking && dueAt <= now);
    for (const target of due.slice(0, room)) void this.ask(target);
    this.schedule();
  }

  private async ask(target: Watched): Promise<void> {
    const { interval_ms } = target.health;
    target.asking = true;
    // From the moment it was due, so that moments once spread stay spread; what was missed is not made up for.
    target.dueAt = Math.max(target.dueAt + interval_ms, performance.now() + interval_ms / 2);
    const problem = await probeTarget(target);
    target.asking = false;
    target.problem = problem || target.problem;
    target.misses = problem === "" ? 0 : target.misses + 1;
    this.tell();
    this.schedule();
  }

  private tell(): void {
    const { failing: before, options } = this;
    const bad = [...this.watched.values()].filter(
      ({ instance, misses, health }) =>
        misses >= health.unhealthy_after || (misses > 0 && before.has(instance)),
    );
    const failing = new Set(bad.map(({ instance }) => instance));
    if (failing.size === before.size && [...failing].every((instance) => before.has(instance))) return;
    this.failing = failing;
    for (const { instance, problem } of bad)
      if (!before.has(instance))
        options.log.warn("an instance fails its health check", { instance, problem });
    for (const instance of before)
      if (!failing.has(instance)) options.log.info("an instance is well again, or gone", { instance });
    options.changed(failing);
  }
}

/** From 0 to 1, the same for the same instance. */
function phaseOf(instance: string): number {
  return Bun.hash.xxHash32(instance) / 2 ** 32;
}
