/** Work on one thing at a time, in the order it was asked for; different things side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Rejects with the signal's reason when it aborts before the turn came. */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = Promise.withResolvers<void>();
    const last = before.then(() => mine.promise);
    this.#last.set(key, last);
    try {
      await unlessAborted(before, signal);
      return await work();
    } finally {
      mine.resolve();
      if (this.#last.get(key) === last) this.#last.delete(key);
    }
  }
}

async function unlessAborted(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([turn, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
