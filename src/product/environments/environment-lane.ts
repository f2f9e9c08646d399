import type { Store } from "../../store/store.ts";

/** Jobs of one environment come one after another. */
export const laneOf = (environmentId: string): string => `environment:${environmentId}`;

/** Whether a job of one of these kinds waits or works in the environment. */
export function isOpen({ store }: { store: Store }, environmentId: string, kinds: string[]): boolean {
  return (
    store.get(
      `select 1 from jobs where lane = $lane and status in ('queued', 'running')
       and kind in (select value from json_each($kinds))`,
      { lane: laneOf(environmentId), kinds: JSON.stringify(kinds) },
    ) !== null
  );
}
