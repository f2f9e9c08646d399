/** `diplo proxy` by itself, for measuring: the data directory comes from DIPLO_DATA. */
import { readConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { runProxy } from "../../src/proxy/main.ts";

await runProxy(readConfig(), createLog("warn"));
