import { DiploError } from "../../errors.ts";

export interface RateLimitOptions {
  /** How many in one window. */
  limit: number;
  windowMs: number;
  /** Monotonic milliseconds; a jump of the wall clock must lock nobody out. */
  now?: () => number;
  /** Bound on memory: above it the oldest key is forgotten. */
  maxKeys?: number;
}

interface Window {
  startedAt: number;
  count: number;
}

/** `too_many_requests`: 429 with the seconds to wait. */
export class TooManyRequests extends DiploError {
  override name = "TooManyRequests";

  constructor(
    message: string,
    readonly waitS: number,
  ) {
    super("too_many_requests", message, {
      status: 429,
      detail: "Too many requests.",
      hint: `Try again in ${waitS} seconds.`,
    });
  }
}

/** Counts per key in fixed windows. */
export class RateLimit {
  readonly #windows = new Map<string, Window>();
  readonly #options: Required<RateLimitOptions>;

  constructor(options: RateLimitOptions) {
    this.#options = { now: () => performance.now(), maxKeys: 10_000, ...options };
  }

  /** Counts one. Throws TooManyRequests above the limit. */
  take(key: string): void {
    const { limit, windowMs, now } = this.#options;
    const window = this.#window(key, now());
    window.count++;
    if (window.count <= limit) return;
    const waitS = Math.max(1, Math.ceil((window.startedAt + windowMs - now()) / 1000));
    throw new TooManyRequests(`more than ${limit} in ${windowMs / 1000} s`, waitS);
  }

  #window(key: string, now: number): Window {
    const known = this.#windows.get(key);
    if (known && now - known.startedAt < this.#options.windowMs) return known;
    const fresh = { startedAt: now, count: 0 };
    this.#windows.delete(key);
    this.#windows.set(key, fresh);
    if (this.#windows.size > this.#options.maxKeys)
      for (const oldest of this.#windows.keys()) {
        this.#windows.delete(oldest);
        break;
      }
    return fresh;
  }
}
