/** Durations, sizes and counts in the units a person reads. */

/** `420 ms`, `8.4 s`, `3 min 12 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  if (seconds < 86_400)
    return pair(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "min");
  return pair(Math.floor(seconds / 86_400), "d", Math.floor((seconds % 86_400) / 3600), "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Binary units, as engines and kernels count: `512 MB` is 512 × 1024². */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${units[unit]}`;
}

/** `1,204/s`, `4.2/min`, `3/h`, `1/d`: by the shortest time in which it happens at least once. */
export function formatRate(perSecond: number): string {
  const units: [seconds: number, name: string][] = [
    [1, "s"],
    [60, "min"],
    [3600, "h"],
    [86_400, "d"],
  ];
  const [seconds, name] = units.find(([seconds]) => perSecond * seconds >= 1) ?? [86_400, "d"];
  const count = perSecond * seconds;
  return `${count < 99.5 ? Number(count.toPrecision(2)) : formatCount(count)}/${name}`;
}

/** `1,204`. */
export const formatCount = (count: number): string => Math.round(count).toLocaleString("en-US");

/** `just now`, `3 min ago`, `5 h ago`, `12 d ago`, then the date. The browser's copy of this rule is time.client.js. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return new Date(at).toISOString().slice(0, 10);
}

/** `1 port`, `3 ports`. */
export const formatMany = (count: number, one: string): string =>
  `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;

/** The first characters of a commit id. */
export const shortCommit = (commit: string): string => commit.slice(0, 7);

/** The first line of a commit message. */
export const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
