import { readdir, readFile } from "node:fs/promises";

/** Watches the arguments and environments of every process of the machine, without a pause, until stopped. */
export class ProcessSampler {
  readonly seen = new Set<string>();
  #running = true;
  readonly #sampling: Promise<void>;

  constructor() {
    this.#sampling = this.#sample();
  }

  /** Answers what was seen, each once. */
  async stop(): Promise<string[]> {
    this.#running = false;
    await this.#sampling;
    return [...this.seen];
  }

  async #sample(): Promise<void> {
    const known = new Map<string, string>();
    while (this.#running) {
      for (const pid of await readdir("/proc")) {
        if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
        const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        // A process that goes on as another program has other arguments then.
        if (known.get(pid) === line) continue;
        known.set(pid, line);
        this.seen.add(line);
        this.seen.add(await readFile(`/proc/${pid}/environ`, "utf8").catch(() => ""));
      }
      await Bun.sleep(0);
    }
  }
}
