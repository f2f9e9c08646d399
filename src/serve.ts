import { Appliance, type ApplianceHooks } from "./appliance.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { createNotifier } from "./notify.ts";

/** `diplo serve`: runs until SIGTERM or SIGINT. The first start prints a one-time sign-in link. */
export async function serve(config: Config, log: Log, hooks: ApplianceHooks = {}): Promise<void> {
  // Trees are unpacked here and copied into images, where other users must read them; what is secret says so itself.
  process.umask(0o022);
  const stopping = Promise.withResolvers<void>();
  process.on("SIGTERM", () => stopping.resolve());
  process.on("SIGINT", () => stopping.resolve());
  const appliance = await Appliance.start(config, log, hooks);
  const notifier = createNotifier(config.systemd);
  notifier.ready();
  greet(appliance, config);
  // The executable starts with slow tier-up (compile.ts); from here on code runs often enough to be worth compiling.
  Bun.unsafe.setJITPolicy(1);
  await stopping.promise;
  notifier.stopping();
  log.info("stopping");
  await appliance.stop();
}

function greet({ parts }: Appliance, config: Config): void {
  const [url] = parts.system.dashboardUrls();
  process.stdout.write(`Diplo ${config.version} answers at ${url}\n`);
  if (parts.store.setting("greeted")) return;
  const link = parts.access.createLoginLink(parts.system.dashboardUrls());
  parts.store.setSetting("greeted", new Date().toISOString());
  process.stdout.write(`Sign in (once, within 10 minutes): ${link.url}\n`);
}
