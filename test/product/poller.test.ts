import { expect, test } from "bun:test";
import { Poller } from "../../src/product/poller.ts";

/** A poller whose looks are counted; `after(n)` settles with the n-th. */
function counted(look: (count: number) => Promise<number>) {
  const reached = new Map<number, () => void>();
  const faults: unknown[] = [];
  let count = 0;
  const poller = new Poller({
    look: () => {
      count++;
      reached.get(count)?.();
      return look(count);
    },
    failed: (error) => {
      faults.push(error);
      return 1;
    },
  });
  const after = (n: number) => new Promise<void>((resolve) => reached.set(n, resolve));
  return { poller, faults, after, count: () => count };
}

/** Settles behind every timer of a millisecond that is set by now or by what is settled now: they fire in their order. */
async function laterTimer(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 2));
}

test("Poller.next looks again as soon as each look says", async () => {
  const { poller, after, faults } = counted(async (count) => count);
  const third = after(3);
  poller.next(1);
  await third;
  poller.stop();
  expect(faults).toEqual([]);
});

test("Poller.next goes on after a look that failed, and tells of it", async () => {
  const { poller, after, faults } = counted(async (count) => {
    if (count === 1) throw new Error("the proxy is away");
    return 1;
  });
  const second = after(2);
  poller.next(1);
  await second;
  poller.stop();
  expect(faults).toEqual([new Error("the proxy is away")]);
});

test("Poller.next brings the next look forward, and there is one of it", async () => {
  const { poller, after, count } = counted(async () => 3600_000);
  const first = after(1);
  poller.next(3600_000);
  poller.next(1);
  poller.next(1);
  await first;
  await laterTimer();
  poller.stop();
  expect(count()).toBe(1);
});

test("Poller.stop during a look makes it the last", async () => {
  const looking = Promise.withResolvers<number>();
  const { poller, after, count } = counted(() => looking.promise);
  const first = after(1);
  poller.next(1);
  await first;
  poller.stop();
  looking.resolve(1);
  await laterTimer();
  expect(count()).toBe(1);
});
