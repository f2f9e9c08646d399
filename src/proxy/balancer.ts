import type { TargetState } from "./target.ts";

interface Share {
  target: TargetState;
  weight: number;
  current: number;
}

/** Smooth weighted round-robin: shares are met exactly over a cycle and spread evenly within it. */
export class Balancer {
  private readonly shares: Share[];

  constructor(targets: { target: TargetState; weight: number }[]) {
    this.shares = targets.map(({ target, weight }) => ({ target, weight, current: 0 }));
  }

  get size(): number {
    return this.shares.length;
  }

  /**
   * The next target that this request has not tried. Those that refused a connection a moment ago are passed over
   * while there are others (passive health). `undefined`: all were tried, or there are none.
   */
  pick(now: number, tried: readonly TargetState[]): TargetState | undefined {
    if (this.shares.length === 1) {
      const only = this.shares[0]!.target;
      return tried.includes(only) ? undefined : only;
    }
    return (
      this.pickAmong((target) => target.skipUntil <= now && !tried.includes(target)) ??
      this.pickAmong((target) => !tried.includes(target))
    );
  }

  private pickAmong(eligible: (target: TargetState) => boolean): TargetState | undefined {
    let best: Share | undefined;
    let total = 0;
    for (const share of this.shares) {
      if (!eligible(share.target)) continue;
      share.current += share.weight;
      total += share.weight;
      if (best === undefined || share.current > best.current) best = share;
    }
    if (best !== undefined) best.current -= total;
    return best?.target;
  }
}
