import { describe, expect, test } from "bun:test";
import { choiceFor } from "../../src/proxy/balance-choices.ts";
import { Balancer } from "../../src/proxy/balancer.ts";
import type { Balance } from "../../src/proxy/protocol.ts";
import { TargetState } from "../../src/proxy/target.ts";

function balancer(balance: Balance, weights: number[]): { balancer: Balancer; targets: TargetState[] } {
  const targets = weights.map((_, i) => new TargetState(`instance-${i}`, "10.0.0.1", 8000 + i));
  const shares = targets.map((target, i) => ({ target, weight: weights[i]! }));
  return { balancer: new Balancer(shares, choiceFor(balance), balance), targets };
}

/** How often each target was chosen; `open` requests stay open at a time, the oldest ends first. */
function shares(balance: Balance, weights: number[], { picks = 10_000, open = 0 } = {}): number[] {
  const { balancer: chooser, targets } = balancer(balance, weights);
  const counts = weights.map(() => 0);
  const inFlight: TargetState[] = [];
  for (let i = 0; i < picks; i++) {
    const target = chooser.pick(0, [], `10.1.${i >> 8}.${i & 255}`)!;
    counts[targets.indexOf(target)]!++;
    target.inFlight++;
    inFlight.push(target);
    if (inFlight.length > open) inFlight.shift()!.inFlight--;
  }
  return counts.map((count) => count / picks);
}

const within = (got: number[], wanted: number[], by: number) => {
  for (const [i, share] of wanted.entries()) expect(Math.abs(got[i]! - share)).toBeLessThanOrEqual(by);
};

describe("Balancer keeps weights", () => {
  test("exactly by turns", () => {
    within(shares("round_robin", [90, 10]), [0.9, 0.1], 0.0001);
  });
  test("with least_connections, idle and under load", () => {
    within(shares("least_connections", [90, 10]), [0.9, 0.1], 0.0001);
    within(shares("least_connections", [3, 1], { open: 40 }), [0.75, 0.25], 0.02);
  });
  test("with random, idle and under load", () => {
    within(shares("random", [90, 10]), [0.9, 0.1], 0.02);
    within(shares("random", [1, 1, 2], { open: 60 }), [0.25, 0.25, 0.5], 0.03);
  });
  test("over many clients with ip_hash", () => {
    within(shares("ip_hash", [90, 10]), [0.9, 0.1], 0.015);
    within(shares("ip_hash", [1, 1, 1]), [1 / 3, 1 / 3, 1 / 3], 0.02);
  });
});

describe("Balancer", () => {
  test("least_connections prefers the one with fewest open requests, by weight", () => {
    const { balancer: chooser, targets } = balancer("least_connections", [1, 1, 4]);
    [3, 2, 7].forEach((count, i) => {
      targets[i]!.inFlight = count;
    });
    expect(chooser.pick(0, [], "")).toBe(targets[2]);
    targets[2]!.inFlight = 9;
    expect(chooser.pick(0, [], "")).toBe(targets[1]);
  });

  test("random never takes the busier of its two", () => {
    const { balancer: chooser, targets } = balancer("random", [1, 1]);
    targets[0]!.inFlight = 5;
    for (let i = 0; i < 200; i++) expect(chooser.pick(0, [], "")).toBe(targets[1]);
  });

  test("ip_hash moves only the clients of a target that goes, and of one that comes only those it gets", () => {
    const addresses = Array.from({ length: 3000 }, (_, i) => `192.168.${i >> 8}.${i & 255}`);
    const chosen = (weights: number[]) => {
      const { balancer: chooser } = balancer("ip_hash", weights);
      return addresses.map((address) => chooser.pick(0, [], address)!.instance);
    };
    const three = chosen([1, 1, 1]);
    const four = chosen([1, 1, 1, 1]);
    const moved = addresses.filter((_, i) => three[i] !== four[i]);
    expect(moved.length).toBeGreaterThan(600);
    expect(moved.length).toBeLessThan(900);
    expect(addresses.every((_, i) => three[i] === four[i] || four[i] === "instance-3")).toBe(true);
  });

  test("ip_hash moves a client whose target fails and brings it back after", () => {
    const { balancer: chooser } = balancer("ip_hash", [1, 1, 1]);
    const home = chooser.pick(0, [], "10.9.8.7")!;
    home.failing = true;
    const other = chooser.pick(0, [], "10.9.8.7")!;
    expect(other).not.toBe(home);
    expect(chooser.pick(0, [], "10.9.8.7")).toBe(other);
    home.failing = false;
    expect(chooser.pick(0, [], "10.9.8.7")).toBe(home);
  });

  for (const balance of ["round_robin", "least_connections", "random", "ip_hash"] as const)
    test(`${balance} passes over what fails, what refused and what was tried, and tries anything when all fail`, () => {
      const { balancer: chooser, targets } = balancer(balance, [1, 1, 1]);
      const [a, b, c] = targets as [TargetState, TargetState, TargetState];
      const seen = (tried: TargetState[] = []) =>
        new Set(Array.from({ length: 50 }, (_, i) => chooser.pick(10, tried, `10.0.0.${i}`)));
      a.failing = true;
      expect(seen().has(a)).toBe(false);
      b.skipUntil = 11;
      expect([...seen()]).toEqual([c]);
      // Only c is left untried and well; without it the failing one goes before the one that just refused.
      expect([...seen([c])]).toEqual([a]);
      expect([...seen([c, a])]).toEqual([b]);
      expect([...seen([a, b, c])]).toEqual([undefined]);
      c.failing = true;
      b.skipUntil = 0;
      b.failing = true;
      expect(seen().size).toBe(3);
    });

  test("a single target is chosen however it is, and none is undefined", () => {
    const { balancer: chooser, targets } = balancer("ip_hash", [1]);
    targets[0]!.failing = true;
    expect(chooser.pick(0, [], "")).toBe(targets[0]);
    expect(chooser.pick(0, [targets[0]!], "")).toBeUndefined();
    expect(balancer("random", []).balancer.pick(0, [], "")).toBeUndefined();
  });
});
