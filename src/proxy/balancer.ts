import type { Balance } from "./protocol.ts";
import type { TargetState } from "./target.ts";

/** One target and its part of the whole. */
export interface Share {
  readonly target: TargetState;
  readonly weight: number;
  /** What the target is owed, of the smooth rotation. */
  owed: number;
}

/** How one of several targets is chosen, e.g. by turns or by load. `shares` is never empty. */
export interface Choice {
  choose(shares: readonly Share[], address: string): Share;
}

/**
 * Chooses a target for a request. What fails is passed over while something else does not: first those that fail their
 * health check or refused a connection a moment ago, then only the latter; when all fail, any is tried.
 */
export class Balancer {
  private readonly shares: readonly Share[];

  constructor(
    targets: { target: TargetState; weight: number }[],
    private readonly choice: Choice,
    readonly kind: Balance,
  ) {
    this.shares = targets.map(({ target, weight }) => ({ target, weight, owed: 0 }));
  }

  get size(): number {
    return this.shares.length;
  }

  /**
   * A target that this request has not tried; `undefined`: all were, or there are none. `address` is the client's,
   * needed for `ip_hash` only.
   */
  pick(now: number, tried: readonly TargetState[], address: string): TargetState | undefined {
    const { shares } = this;
    if (shares.length === 1) {
      const only = shares[0]!.target;
      return tried.includes(only) ? undefined : only;
    }
    if (tried.length === 0 && shares.length > 0 && shares.every(({ target }) => target.isWell(now)))
      return this.choice.choose(shares, address).target;
    const left = shares.filter(({ target }) => !tried.includes(target));
    const candidates = firstNotEmpty(
      left.filter(({ target }) => target.isWell(now)),
      left.filter(({ target }) => target.skipUntil <= now),
      left,
    );
    return candidates.length === 0 ? undefined : this.choice.choose(candidates, address).target;
  }
}

function firstNotEmpty(...lists: Share[][]): Share[] {
  return lists.find((list) => list.length > 0) ?? [];
}
