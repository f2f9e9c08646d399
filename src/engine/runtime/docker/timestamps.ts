/** Nanoseconds since 1970 of an ISO time with any number of fractional digits. 0n for what is not a time. */
export function epochNanos(iso: string): bigint {
  const match = /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(iso);
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) : Date.parse(iso);
  if (Number.isNaN(seconds)) return 0n;
  return BigInt(seconds) * 1_000_000n + BigInt((match?.[2] ?? "").padEnd(9, "0").slice(0, 9));
}

/** The same as the engine's `since` wants it: `seconds.nanoseconds`. */
export function engineTime(iso: string): string {
  const nanos = epochNanos(iso);
  return `${nanos / 1_000_000_000n}.${String(nanos % 1_000_000_000n).padStart(9, "0")}`;
}
