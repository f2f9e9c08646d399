/** Wakes a follower: rings between two waits are not lost, many rings are one. */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  /** Resolves at the next ring, when the signal aborts, or after the time. */
  async rung(signal: AbortSignal, withinMs?: number): Promise<void> {
    if (!this.#rung && !signal.aborted) await this.#wait(signal, withinMs);
    this.#rung = false;
  }

  #wait(signal: AbortSignal, withinMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(() => done(), withinMs);
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = null;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done);
    });
  }
}
