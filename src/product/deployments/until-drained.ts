import type { DeploymentParts } from "./deployment-parts.ts";

/** Answers when nothing is in flight to these instances, or when their time is over. */
export async function untilDrained(
  { routes }: Pick<DeploymentParts, "routes">,
  instances: string[],
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = 20; Date.now() < deadline; waitMs = Math.min(waitMs * 2, 500)) {
    signal.throwIfAborted();
    // A proxy that is away holds no requests either; it must not keep a drain for ever.
    const state = await routes.state().catch(() => null);
    if (state && instances.every((id) => !state.in_flight[id])) return;
    await Bun.sleep(Math.min(waitMs, Math.max(0, deadline - Date.now())));
  }
}
