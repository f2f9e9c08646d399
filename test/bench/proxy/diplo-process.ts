/** `diplo proxy` by itself, for measuring: the data directory comes from DIPLO_DATA. */
import { readConfig } from "../../../src/config.ts";
import { createLog } from "../../../src/log.ts";
import { runProxy, WORKER_VERB } from "../../../src/proxy/main.ts";
import { runWorker } from "../../../src/proxy/worker.ts";

if (process.argv.includes(WORKER_VERB)) runWorker();
else await runProxy(readConfig(), createLog("warn"));
