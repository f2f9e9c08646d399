/** Upper bounds of the data plane's latency histogram (protocol.ts RouteMetrics); one more count holds all above. */
const BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/**
 * The duration in milliseconds that `share` (0 to 1) of the requests stayed within, read between the bounds as if the
 * requests of a bucket were spread evenly; 10,000 stands for anything above. null: nothing was counted.
 */
export function percentile(histogram: readonly number[], share: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const [i, count] of histogram.entries()) {
    const upper = BOUNDS_MS[i];
    if (upper === undefined) break;
    if (count > 0 && left <= count) {
      const lower = BOUNDS_MS[i - 1] ?? 0;
      return lower + (upper - lower) * (left / count);
    }
    left -= count;
  }
  return BOUNDS_MS.at(-1)!;
}

/** Counts of one histogram added to another's. */
export function addHistogram(into: number[], more: readonly number[]): void {
  for (const [i, count] of more.entries()) into[i] = (into[i] ?? 0) + count;
}
