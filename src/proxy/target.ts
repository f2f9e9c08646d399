import type { Target } from "./protocol.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/**
 * One address of one instance, with its idle connections, or one static release. Lives as long as the table names it or
 * a request uses it.
 */
export class TargetState {
  /** Requests and upgraded connections now open. */
  inFlight = 0;
  /** Left the table: no new request, idle connections closed. */
  retired = false;
  /** On the ticker's clock: passed over until then when others exist. */
  skipUntil = 0;
  release = 0;
  /** Fails its active health check. */
  failing = false;
  readonly idle: UpstreamConnection[] = [];

  constructor(
    readonly instance: string,
    readonly host: string,
    readonly port: number,
    /** Name of the static release; empty for an instance behind an address. */
    readonly site = "",
  ) {}

  isWell(now: number): boolean {
    return !this.failing && this.skipUntil <= now;
  }

  /** The connection used last, if it was used since `since`; older ones may be closing at the other end. */
  takeIdle(since: number): UpstreamConnection | undefined {
    const last = this.idle[this.idle.length - 1];
    if (last === undefined || last.idleSince < since) return undefined;
    return this.idle.pop();
  }

  retire(): void {
    this.retired = true;
    for (const connection of this.idle.splice(0)) connection.close();
  }
}

/** Every target in use, so that a new table finds the pools and counts of the old one. */
export class TargetRegistry {
  private readonly targets = new Map<string, TargetState>();

  /** The state of that target, made when new. One that had left the table comes back. */
  get(spec: Target): TargetState {
    const { instance } = spec;
    const key = "site" in spec ? `${instance} ${spec.site}` : `${instance} ${spec.host} ${spec.port}`;
    let target = this.targets.get(key);
    if (target === undefined) {
      target =
        "site" in spec
          ? new TargetState(instance, "", 0, spec.site)
          : new TargetState(instance, spec.host, spec.port);
      this.targets.set(key, target);
    }
    target.retired = false;
    target.release = spec.release;
    return target;
  }

  /** Retires what is not in `kept`, and forgets what is retired and unused. */
  sweep(kept: ReadonlySet<TargetState>): void {
    for (const [key, target] of this.targets) {
      if (kept.has(target)) continue;
      target.retire();
      if (target.inFlight === 0) this.targets.delete(key);
    }
  }

  /** These instances fail their active health check, all others do not. */
  setFailing(instances: ReadonlySet<string>): void {
    for (const target of this.targets.values()) target.failing = instances.has(target.instance);
  }

  /** Open requests by instance, those of retired targets included. */
  inFlight(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const target of this.targets.values())
      if (!target.retired || target.inFlight > 0)
        counts[target.instance] = (counts[target.instance] ?? 0) + target.inFlight;
    return counts;
  }
}
