import { readConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { runProxy } from "../../src/proxy/main.ts";
import { serve } from "../../src/serve.ts";
import { settingFlags } from "../../src/setting-flags.ts";

/** `diplo serve` that dies by SIGKILL after the side effects of one step and before its commit. */
const config = readConfig(settingFlags(process.argv.slice(3)));
const log = createLog(config.logLevel);
if (process.argv[2] === "proxy") await runProxy(config, log);
else
  await serve(config, log, {
    beforeCommit: async (job) => {
      if (`${job.kind}:${job.step}` !== process.env.TEST_CRASH_AT) return;
      process.kill(process.pid, "SIGKILL");
      await new Promise(() => {});
    },
  });
process.exit(0);
