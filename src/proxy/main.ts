import { type Config, paths } from "../config.ts";
import type { Log } from "../log.ts";
import { createNotifier } from "../notify.ts";
import { DataPlane } from "./data-plane.ts";

/** `diplo proxy`: serves until SIGTERM, SIGINT or `POST /stop`, then drains. Throws `proxy_running`. */
export async function runProxy(config: Config, log: Log): Promise<void> {
  const proxy = await DataPlane.start({
    directory: paths.proxyDirectory(config.data),
    eventsSocket: paths.proxyEventsSocket(config.data),
    version: config.version,
    log,
  });
  const notifier = createNotifier(config.systemd);
  const stop = () => {
    notifier.stopping();
    void proxy.stop();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  notifier.ready();
  log.info("proxy runs", { pid: process.pid, generation: proxy.state().generation });
  await proxy.stopped;
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
  log.info("proxy stopped");
}
