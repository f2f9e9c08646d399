import type { Deployment } from "../product/deployments/deployment.ts";
import type { Box } from "./box.ts";
import { isOver } from "./progress.ts";
import { resumedEvents } from "./resumed-events.ts";

interface Options {
  signal: AbortSignal;
  onBroken?: () => void;
}

/** A deployment again and again, whenever its job moved, until it is over or the signal is aborted. */
export async function* watchDeployment(box: Box, id: string, options: Options): AsyncGenerator<Deployment> {
  const look = () =>
    box.json<Deployment>({ method: "GET", path: `/deployments/${id}`, signal: options.signal });
  const first = await look();
  yield first;
  if (isOver(first)) return;
  const moves = resumedEvents(box, { path: `/jobs/${first.job_id}/events` }, options);
  for await (const _move of moves) {
    const deployment = await look();
    yield deployment;
    if (isOver(deployment)) return;
  }
  if (!options.signal.aborted) yield await look();
}

/** The build log from its first line on, until the deployment is over. A log that cannot be had is no failure. */
export async function readDeploymentLog(
  box: Box,
  id: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  try {
    const pieces = resumedEvents(box, { path: `/deployments/${id}/log`, query: { follow: 1 } }, { signal });
    for await (const { data } of pieces) for (const line of data.replace(/\n$/, "").split("\n")) onLine(line);
  } catch (error) {
    if (!signal.aborted)
      onLine(`(the log cannot be read: ${error instanceof Error ? error.message : error})`);
  }
}
