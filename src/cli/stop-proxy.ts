const PATIENCE_MS = 15_000;

/** Asks a proxy that outlived its control plane to end, and waits until it has. No proxy there is fine. */
export async function stopProxy(socket: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ask = (method: string, path: string) =>
    fetch(`http://proxy${path}`, { method, unix: socket, signal });
  try {
    await ask("POST", "/stop");
    for (;;) {
      await ask("GET", "/state");
      await Bun.sleep(50);
    }
  } catch {
    // Nobody answers (any more), which is what was wanted.
  }
}
