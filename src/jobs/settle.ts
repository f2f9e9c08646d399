/**
 * Settles with the work, or `settleMs` after the abort: a step that does not listen must not hold its job for ever.
 * What was left behind may still finish; it is never run a second time beside itself for long, only overtaken.
 */
export async function settles<T>(work: Promise<T>, signal: AbortSignal, settleMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => reject(new Error("the step did not stop when told to")), settleMs);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Answers after the time or at the abort, whichever comes first. */
export function sleepOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
