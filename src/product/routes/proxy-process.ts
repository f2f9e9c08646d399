import { openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Config, paths } from "../../config.ts";
import { DiploError, terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { ProxyClient } from "./proxy-client.ts";

const START_MS = 10_000;
const LOOK_MS = 2000;

export interface ProxyProcessOptions {
  settings: Config;
  client: ProxyClient;
  log: Log;
  /** Called after a proxy was started (again), so that it gets the routes. */
  onStarted: () => void;
}

/**
 * In the foreground `serve` starts the data plane itself, detached: it outlives a SIGKILL of `serve`, and the next
 * `serve` adopts it. Under systemd it is a unit of its own and this only waits for it.
 */
export class ProxyProcess {
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly options: ProxyProcessOptions) {}

  /** Answers when a proxy of this version answers. Throws `proxy_down`. */
  async start(): Promise<void> {
    const { settings, client, log } = this.options;
    await mkdir(paths.proxyDirectory(settings.data), { recursive: true, mode: 0o750 });
    const known = await client.state().catch(() => null);
    if (known && !settings.proxyManaged && known.diplo_version !== settings.version) {
      log.info("replacing a proxy of another version", { was: known.diplo_version });
      await this.succeed();
    } else if (known) log.info("adopted the running proxy", { pid: known.pid, generation: known.generation });
    else if (settings.proxyManaged) await this.untilAnswers();
    else await this.spawn();
    this.watch((await client.state()).pid);
  }

  /** A clean stop ends the proxy too, unless systemd looks after it. */
  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    if (!this.options.settings.proxyManaged) await this.stopProxy();
  }

  // Looking whether a process is alive costs next to nothing; asking it over its socket would add up on an idle box.
  private watch(pid: number): void {
    let known = pid;
    let looking = false;
    this.timer = setInterval(async () => {
      if (looking || isAlive(known)) return;
      looking = true;
      known = (await this.again()) ?? known;
      looking = false;
    }, LOOK_MS);
    this.timer.unref();
  }

  /** The pid of the proxy that runs again. */
  private async again(): Promise<number | null> {
    const { log, settings, client, onStarted } = this.options;
    try {
      log.warn("the proxy is gone");
      if (settings.proxyManaged) await this.untilAnswers();
      else if (!(await client.state().catch(() => null))) await this.spawn();
      onStarted();
      return (await client.state()).pid;
    } catch (error) {
      log.error("the proxy does not start", { error: terse(error) });
      return null;
    }
  }

  /** The new proxy listens beside the old one and then ends it, so that nobody is refused in between. */
  private async succeed(): Promise<void> {
    try {
      await this.spawn();
    } catch (error) {
      this.options.log.warn("the running proxy does not make room; stopping it first", {
        error: terse(error),
      });
      await this.stopProxy();
      await this.spawn();
    }
  }

  private async spawn(): Promise<void> {
    const { settings } = this.options;
    const output = openSync(join(paths.proxyDirectory(settings.data), "proxy.log"), "a", 0o640);
    // In development the executable is Bun itself and needs the script's name.
    const script = Bun.isStandaloneExecutable ? [] : [Bun.main];
    const workers =
      settings.proxyWorkers === undefined ? [] : ["--proxy-workers", `${settings.proxyWorkers}`];
    const own = ["--data", settings.data, "--log-level", settings.logLevel, ...workers];
    const child = Bun.spawn([process.execPath, ...script, "proxy", ...own], {
      stdio: ["ignore", output, output],
      detached: true,
      env: { PATH: "/usr/bin:/bin", DIPLO_VERSION: settings.version },
    });
    child.unref();
    await this.untilAnswers(() => child.exitCode);
  }

  private async untilAnswers(exitCode: () => number | null = () => null): Promise<void> {
    const deadline = Date.now() + START_MS;
    for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.5, 100)) {
      const { client, settings } = this.options;
      const state = await client.state().catch(() => null);
      if (state && (settings.proxyManaged || state.diplo_version === settings.version)) return;
      if (exitCode() !== null || Date.now() > deadline)
        throw new DiploError("proxy_down", `the proxy does not start (exit code ${exitCode()})`, {
          hint: `See ${join(paths.proxyDirectory(this.options.settings.data), "proxy.log")}`,
        });
      await Bun.sleep(waitMs);
    }
  }

  private async stopProxy(): Promise<void> {
    const { client } = this.options;
    const state = await client.state().catch(() => null);
    if (!state) return;
    await client.stop().catch(() => {});
    const deadline = Date.now() + 35_000;
    while (Date.now() < deadline && isAlive(state.pid)) await Bun.sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Under systemd it belongs to another user.
    return (error as { code?: string }).code === "EPERM";
  }
}
