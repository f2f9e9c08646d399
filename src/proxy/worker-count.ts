import { availableParallelism, totalmem } from "node:os";

const MAX_WORKERS = 4;
/** What a worker may need under load, with room left for the apps. */
const BYTES_PER_WORKER = 1024 ** 3;

/** Workers for this box: a core is left to the apps, and a small memory gets few. */
export function defaultWorkerCount(cores = availableParallelism(), memoryBytes = totalmem()): number {
  return Math.max(1, Math.min(MAX_WORKERS, cores - 1, Math.floor(memoryBytes / BYTES_PER_WORKER)));
}
