import { availableParallelism, totalmem } from "node:os";

const MAX_WORKERS = 4;
/** One process carries more than a small box will ever see; memory is what such a box is short of. */
const BYTES_PER_WORKER = 4 * 1024 ** 3;

/** Processes to carry the traffic of this box: a core is left to the apps. One means that no worker is started at all. */
export function defaultWorkerCount(cores = availableParallelism(), memoryBytes = totalmem()): number {
  return Math.max(1, Math.min(MAX_WORKERS, cores - 1, Math.floor(memoryBytes / BYTES_PER_WORKER)));
}
