import { join } from "node:path";
import { type Config, paths } from "../config.ts";
import { DiploError } from "../errors.ts";
import type { Log } from "../log.ts";
import { createNotifier } from "../notify.ts";
import { DataPlane, type DataPlaneOptions } from "./data-plane.ts";
import type { ProxyState } from "./protocol.ts";
import { defaultWorkerCount } from "./worker-count.ts";

/** The verb that makes this executable a worker (`runWorker`); never typed by a person. */
export const WORKER_VERB = "proxy-worker";

/**
 * `diplo proxy`: serves until SIGTERM, SIGINT or `POST /stop`, then drains; SIGHUP replaces the workers one by one.
 * Throws `proxy_running`.
 */
export async function runProxy(config: Config, log: Log): Promise<void> {
  const count = config.proxyWorkers ?? defaultWorkerCount();
  const options: DataPlaneOptions = {
    directory: paths.proxyDirectory(config.data),
    eventsSocket: paths.proxyEventsSocket(config.data),
    version: config.version,
    log,
    workers: count > 1 ? { count, command: workerCommand() } : undefined,
  };
  const plane = await startOrReplace(options);
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

/** A proxy of another version that runs here already is replaced without a gap; one of this version is left alone. */
async function startOrReplace(options: DataPlaneOptions): Promise<DataPlane> {
  try {
    return await DataPlane.start(options);
  } catch (error) {
    if (!(error instanceof DiploError && error.code === "proxy_running")) throw error;
    const running = await runningVersion(options.directory);
    if (running === undefined || running === options.version) throw error;
    options.log.info("replacing a proxy of another version", { was: running });
    return DataPlane.replace(options);
  }
}

async function runningVersion(directory: string): Promise<string | undefined> {
  try {
    const response = await fetch("http://proxy/state", { unix: join(directory, "proxy.sock") });
    return ((await response.json()) as ProxyState).diplo_version;
  } catch {
    return undefined;
  }
}

/** This very program again: the executable alone, or Bun with the script it was started with. */
function workerCommand(): string[] {
  return [process.execPath, ...(Bun.isStandaloneExecutable ? [] : [Bun.main]), WORKER_VERB];
}
