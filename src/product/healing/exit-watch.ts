import type { ContainerRuntime, RuntimeEvent } from "../../engine/runtime/container-runtime.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import { terse } from "../../errors.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import { sleepOrAbort } from "../../jobs/settle.ts";
import type { Log } from "../../log.ts";
import type { InstanceRows } from "../instances/instance-rows.ts";

export interface ExitWatchOptions {
  runtimes: Runtimes;
  instances: InstanceRows;
  log: Log;
}

/**
 * Hears from the engine how instances end. An engine that starts one again at once forgets its exit code with that:
 * whoever only looks now and then never sees it.
 */
export class ExitWatch {
  /** Ends the listening under way: of the engine before, or at the stop. */
  private leaving: AbortController | null = null;
  private stopped = false;

  constructor(private readonly options: ExitWatchOptions) {}

  /** Listens to whatever engine comes into use; a box without apps need not have one. */
  start(): void {
    this.options.runtimes.onConnect((runtime) => {
      this.leaving?.abort();
      if (this.stopped) return;
      this.leaving = new AbortController();
      void this.listen(runtime, this.leaving.signal);
    });
  }

  stop(): void {
    this.stopped = true;
    this.leaving?.abort();
  }

  private async listen(runtime: ContainerRuntime, signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        for await (const event of runtime.events(signal)) {
          failures = 0;
          if (event.type === "die") this.note(event);
        }
      } catch (error) {
        this.options.log.debug("the engine's events ended", { error: terse(error) });
      }
      await sleepOrAbort(backoffMs(failures), signal);
    }
  }

  private note({ labels, exit_code, oom_killed, at }: RuntimeEvent): void {
    const instance = labels["diplo.instance"];
    if (instance === undefined || exit_code === null) return;
    this.options.instances.exited(instance, { exit_code, oom_killed, at });
  }
}
