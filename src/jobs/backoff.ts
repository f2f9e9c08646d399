/** Milliseconds to wait before attempt `attempt + 1`: 1 s doubling to a minute, with ±20 % so that jobs spread out. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(60_000, 1000 * 2 ** Math.max(0, attempt - 1));
  return Math.round(base * (0.8 + 0.4 * random()));
}
