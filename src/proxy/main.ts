import { type Config, paths } from "../config.ts";
import type { Log } from "../log.ts";
import { createNotifier } from "../notify.ts";
import { DataPlane } from "./data-plane.ts";
import { defaultWorkerCount } from "./worker-count.ts";

/** The verb that makes this executable a worker (`runWorker`); never typed by a person. */
export const WORKER_VERB = "proxy-worker";

/**
 * `diplo proxy`: serves until SIGTERM, SIGINT or `POST /stop`, then drains; SIGHUP replaces the workers one by one.
 * Throws `proxy_running`.
 */
export async function runProxy(config: Config, log: Log): Promise<void> {
  const count = config.proxyWorkers ?? defaultWorkerCount();
  const plane = await DataPlane.start({
    directory: paths.proxyDirectory(config.data),
    eventsSocket: paths.proxyEventsSocket(config.data),
    version: config.version,
    log,
    workers: count > 1 ? { count, command: workerCommand() } : undefined,
  });
  const notifier = createNotifier(config.systemd);
  const stop = () => {
    notifier.stopping();
    void plane.stop();
  };
  const restart = () => void plane.restartWorkers();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", restart);
  notifier.ready();
  const { generation, workers } = await plane.state();
  log.info("proxy runs", { pid: process.pid, generation, workers });
  await plane.stopped;
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
  process.off("SIGHUP", restart);
  log.info("proxy stopped");
}

/** This very program again: the executable alone, or Bun with the script it was started with. */
function workerCommand(): string[] {
  return [process.execPath, ...(Bun.isStandaloneExecutable ? [] : [Bun.main]), WORKER_VERB];
}
