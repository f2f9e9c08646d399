import type { Config } from "../../config.ts";
import type { ContainerRuntime, RuntimeInfo } from "../../engine/runtime/container-runtime.ts";
import type { ProxyState } from "../../proxy/protocol.ts";
import type { Store } from "../../store/store.ts";
import { readClocks } from "./clock-check.ts";
import { type Examination, examine, type Report } from "./examine.ts";
import { type MachineCheckFacts, machineChecks } from "./machine-checks.ts";
import { type Answer, askListener, checkAppPorts, checkListener, checkProxy } from "./proxy-checks.ts";

export interface DoctorOptions {
  settings: Config;
  runtimes: { detect(): Promise<RuntimeInfo[]>; usable(): Promise<Pick<ContainerRuntime, "subnets">> };
  store: Store;
  routes: {
    state(): Promise<ProxyState>;
    generation(): { generation: number; acked: boolean; error: string | null } | null;
  };
  /** What a test replaces. */
  machine?: Partial<MachineCheckFacts>;
  ask?: (address: Config["http"]) => Promise<Answer>;
}

/** Looks at everything an app's life depends on, and says what to do about what is wrong. Changes nothing. */
export class Doctor {
  private readonly startedAt = readClocks();

  constructor(private readonly options: DoctorOptions) {}

  examine(): Promise<Report> {
    const { settings, runtimes, machine } = this.options;
    return examine({
      ...machineChecks({
        settings,
        detect: () => runtimes.detect(),
        engineSubnets: async () => (await runtimes.usable()).subnets(),
        startedAt: this.startedAt,
        ...machine,
      }),
      ...this.proxyChecks(),
    });
  }

  private proxyChecks(): Record<string, Examination> {
    const { settings, routes, store, ask = askListener } = this.options;
    return {
      proxy: async () => checkProxy(await routes.state().catch(() => null), routes.generation(), settings),
      http: async () => checkListener("http", settings.http, await ask(settings.http)),
      "app ports": () =>
        checkAppPorts(settings.appPorts, store.get<{ n: number }>("select count(*) as n from ports")?.n ?? 0),
    };
  }
}
