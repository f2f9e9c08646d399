import { expect, test } from "bun:test";
import { formatAgo, formatBytes, formatDuration, formatRate } from "../../ui/components/format.ts";

test("formatDuration uses the unit a person reads", () => {
  const words = [0, 420, 8400, 60_000, 192_000, 7_500_000, 273_600_000].map(formatDuration);
  expect(words).toEqual(["0 ms", "420 ms", "8.4 s", "1 min", "3 min 12 s", "2 h 5 min", "3 d 4 h"]);
});

test("formatBytes counts in 1024", () => {
  const words = [0, 1023, 1536, 512 * 1024 ** 2, 120 * 1024 ** 3, 1023.9 * 1024].map(formatBytes);
  expect(words).toEqual(["0 B", "1023 B", "1.5 kB", "512 MB", "120 GB", "1 MB"]);
});

test("formatRate takes the time in which it happens at least once", () => {
  const words = [1204, 99.4, 4.24, 1, 0.99, 0.07, 2 / 3600, 1 / 86_400, 0.000012 / 2, 0].map(formatRate);
  expect(words).toEqual([
    "1,204/s",
    "99/s",
    "4.2/s",
    "1/s",
    "59/min",
    "4.2/min",
    "2/h",
    "1/d",
    "0.52/d",
    "0/d",
  ]);
});

test("formatAgo names the distance, then the day", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const words = [3, 45, 200, 7300, 90_000, 40 * 86_400].map((seconds) =>
    formatAgo(now - seconds * 1000, now),
  );
  expect(words).toEqual(["just now", "45 s ago", "3 min ago", "2 h ago", "1 d ago", "2026-10-12"]);
});
