/** What people look at: how far back, and in how long slots unless they say otherwise. Seconds. */
export const PERIODS = {
  "1h": { period_s: 3600, interval_s: 30 },
  "24h": { period_s: 24 * 3600, interval_s: 15 * 60 },
  "7d": { period_s: 7 * 24 * 3600, interval_s: 2 * 3600 },
  "90d": { period_s: 90 * 24 * 3600, interval_s: 24 * 3600 },
} as const;

export type Period = keyof typeof PERIODS;
