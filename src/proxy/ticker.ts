export interface Timed {
  /** Milliseconds on the ticker's clock; Infinity for none. */
  deadline: number;
  expire(): void;
}

const PERIOD_MS = 500;

/**
 * One coarse clock for all connections: each carries its deadline as a plain number, so that setting one costs
 * nothing per request. Sleeps while there is nothing to watch. Deadlines are met up to half a second late.
 */
export class Ticker {
  /** Monotonic milliseconds, at most one period old while anything is watched. */
  now = performance.now();
  private readonly watched = new Set<Timed>();
  private timer: ReturnType<typeof setInterval> | undefined;

  add(timed: Timed): void {
    this.watched.add(timed);
    if (this.timer !== undefined) return;
    this.now = performance.now();
    this.timer = setInterval(() => this.tick(), PERIOD_MS);
  }

  delete(timed: Timed): void {
    this.watched.delete(timed);
    if (this.watched.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.watched.clear();
  }

  private tick(): void {
    this.now = performance.now();
    for (const timed of this.watched) if (timed.deadline <= this.now) timed.expire();
  }
}
