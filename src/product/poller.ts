export interface PollerOptions {
  /** Answers in how many milliseconds to look again. */
  look: () => Promise<number>;
  /** Told why a look failed; answers in how many milliseconds to try again. */
  failed: (error: unknown) => number;
}

/** Looks again and again, as soon as each look says. Keeps no process alive. */
export class Poller {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;

  constructor(private readonly options: PollerOptions) {}

  /** Sets when to look next: the first time, or sooner than was meant. Nothing any more once it is stopped. */
  next(afterMs: number): void {
    if (this.timer) clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(async () => {
      this.next(await this.options.look().catch(this.options.failed));
    }, afterMs);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }
}
