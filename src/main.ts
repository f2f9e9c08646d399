import { readConfig } from "./config.ts";
import { DiploError } from "./errors.ts";

const [verb] = process.argv.slice(2);

// Each role loads only what it needs: the proxy is 25 MB because nothing of the control plane is in it.
if (verb === "proxy")
  await asDaemon(async (config, log) => (await import("./proxy/main.ts")).runProxy(config, log));
// Not for people: the proxy starts its workers with it.
else if (verb === "proxy-worker") (await import("./proxy/worker.ts")).runWorker();
else if (verb === "serve")
  await asDaemon(async (config, log) => (await import("./serve.ts")).serve(config, log));
else await asCommand();

type Daemon = (config: ReturnType<typeof readConfig>, log: import("./log.ts").Log) => Promise<void>;

async function asDaemon(run: Daemon): Promise<void> {
  const [{ createLog }, { settingFlags }] = await Promise.all([
    import("./log.ts"),
    import("./setting-flags.ts"),
  ]);
  try {
    if (process.argv.includes("--help")) return await asCommand();
    const config = readConfig(settingFlags(process.argv.slice(3)));
    await run(config, createLog(config.logLevel));
    process.exit(0);
  } catch (error) {
    const known = error instanceof DiploError;
    process.stderr.write(
      `diplo ${verb}: ${known ? error.message : error instanceof Error ? error.stack : error}\n`,
    );
    if (known && error.hint) process.stderr.write(`${error.hint}\n`);
    process.exit(known ? 2 : 1);
  }
}

async function asCommand(): Promise<void> {
  const { runCli } = await import("./cli/run-cli.ts");
  const { processIo } = await import("./cli/process-io.ts");
  process.exitCode = await runCli(process.argv.slice(2), processIo());
}
