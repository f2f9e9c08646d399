/** `diplo proxy` by itself, for measuring: DIPLO_DATA says where, DIPLO_BENCH_VERSION which version it takes itself for. */
import { readConfig } from "../../../src/config.ts";
import { createLog } from "../../../src/log.ts";
import { runProxy, WORKER_VERB } from "../../../src/proxy/main.ts";
import { runWorker } from "../../../src/proxy/worker.ts";

if (process.argv.includes(WORKER_VERB)) runWorker();
else {
  const config = readConfig();
  await runProxy(
    { ...config, version: process.env.DIPLO_BENCH_VERSION ?? config.version },
    createLog("warn"),
  );
}
