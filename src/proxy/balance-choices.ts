import type { Choice, Share } from "./balancer.ts";
import type { Balance } from "./protocol.ts";

/** Smooth weighted rotation: shares are met exactly over a cycle and spread evenly within it. */
class RoundRobin implements Choice {
  choose(shares: readonly Share[]): Share {
    let best = shares[0]!;
    let total = 0;
    for (const share of shares) {
      share.owed += share.weight;
      total += share.weight;
      if (share.owed > best.owed) best = share;
    }
    best.owed -= total;
    return best;
  }
}

/** Fewest open requests by weight; among equals by turns, so that an idle app is not served by one instance alone. */
class LeastConnections implements Choice {
  private readonly turns = new RoundRobin();

  choose(shares: readonly Share[]): Share {
    let best = shares[0]!;
    for (const share of shares) if (isLessBusy(share, best)) best = share;
    return this.turns.choose(shares.filter((share) => !isLessBusy(best, share)));
  }
}

/** The less busy of two that are drawn by weight: near the best choice without looking at all, and no two proxies agree. */
class RandomOfTwo implements Choice {
  choose(shares: readonly Share[]): Share {
    const first = draw(shares);
    const second = draw(shares.filter((share) => share !== first));
    return second !== undefined && isLessBusy(second, first!) ? second : first!;
  }
}

/**
 * The client's address decides, by weighted rendezvous: a target that goes or comes moves only the clients it had or
 * gets, and every worker comes to the same end without asking another.
 */
class IpHash implements Choice {
  choose(shares: readonly Share[], address: string): Share {
    let best = shares[0]!;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const share of shares) {
      const score = scoreOf(share, address);
      if (score > bestScore) {
        best = share;
        bestScore = score;
      }
    }
    return best;
  }
}

export function choiceFor(balance: Balance): Choice {
  switch (balance) {
    case "round_robin":
      return new RoundRobin();
    case "least_connections":
      return new LeastConnections();
    case "random":
      return new RandomOfTwo();
    case "ip_hash":
      return new IpHash();
  }
}

/** Open requests compared by weight, without dividing. */
function isLessBusy(one: Share, other: Share): boolean {
  return one.target.inFlight * other.weight < other.target.inFlight * one.weight;
}

function draw(shares: readonly Share[]): Share | undefined {
  let left = Math.random() * shares.reduce((sum, { weight }) => sum + weight, 0);
  for (const share of shares) {
    left -= share.weight;
    if (left < 0) return share;
  }
  return shares.at(-1);
}

/** An exponential draw with the weight as its rate, the same for the same pair at any time and place. */
function scoreOf({ target, weight }: Share, address: string): number {
  const uniform = (Bun.hash.xxHash32(`${target.instance} ${address}`) + 0.5) / 2 ** 32;
  return -weight / Math.log(uniform);
}
