/** Figures of alternating rounds: what to quote is the median, how far to trust it the spread. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function row(name: string, values: number[], unit: string): string {
  const of = (value: number) => value.toFixed(value < 10 ? 1 : 0).padStart(8);
  return `${name.padEnd(44)}${of(median(values))}${of(Math.min(...values))}${of(Math.max(...values))}  ${unit}`;
}

export const HEAD = `${"".padEnd(44)}${"median".padStart(8)}${"min".padStart(8)}${"max".padStart(8)}`;

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
