/** A request that waits for a target. */
export interface Held {
  /** On the monotonic clock. */
  holdUntil: number;
  /** Look for a target again; `probe`: try even one that refused a moment ago. */
  dispatch(probe?: boolean): void;
  /** The wait is over without one. */
  giveUp(): void;
}

/**
 * Requests of one route that arrived while no target took connections. They go on in order as soon as a new table
 * names targets or one of them gets a connection; until then the first one tries, for all.
 */
export class HoldQueue {
  private readonly waiting = new Set<Held>();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly retryMs: number) {}

  get size(): number {
    return this.waiting.size;
  }

  add(held: Held): void {
    this.waiting.add(held);
    this.timer ??= setInterval(() => this.tick(), this.retryMs);
  }

  delete(held: Held): void {
    this.waiting.delete(held);
    this.rest();
  }

  /** A target answered, or the table is new: all try. */
  release(): void {
    if (this.waiting.size === 0) return;
    const all = [...this.waiting];
    this.waiting.clear();
    this.rest();
    for (const held of all) held.dispatch();
  }

  private tick(): void {
    const now = performance.now();
    for (const held of [...this.waiting]) {
      if (held.holdUntil > now) continue;
      this.waiting.delete(held);
      held.giveUp();
    }
    const [first] = this.waiting;
    if (first !== undefined) {
      this.waiting.delete(first);
      first.dispatch(true);
    }
    this.rest();
  }

  private rest(): void {
    if (this.waiting.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
