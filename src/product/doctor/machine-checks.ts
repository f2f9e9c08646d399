import type { Config } from "../../config.ts";
import { type HostRoute, readRoutes } from "../../engine/network/address-plan.ts";
import type { RuntimeInfo } from "../../engine/runtime/container-runtime.ts";
import { Machine } from "../system/machine.ts";
import { type Clocks, checkClock, readClocks } from "./clock-check.ts";
import { checkData, checkDisk, checkMemory } from "./data-checks.ts";
import { checkEngine, checkLimits } from "./engine-checks.ts";
import type { Examination } from "./examine.ts";
import { checkFirewall } from "./firewall-check.ts";
import { checkPoolConflicts } from "./pool-check.ts";

export interface MachineCheckFacts {
  settings: Config;
  detect: () => Promise<RuntimeInfo[]>;
  engineSubnets: () => Promise<string[]>;
  startedAt: Clocks;
  machine?: Machine;
  hostRoutes?: () => Promise<HostRoute[]>;
  clocks?: () => Clocks;
}

/** What can be looked at without a running Diplo: the machine, its engine, the data directory. */
export function machineChecks({
  settings,
  detect,
  engineSubnets,
  startedAt,
  machine = new Machine(),
  hostRoutes = readRoutes,
  clocks = readClocks,
}: MachineCheckFacts): Record<string, Examination> {
  const engines = detect();
  // Looked at in more than one check; a failure is each check's own to tell.
  engines.catch(() => {});
  return {
    engine: async () => checkEngine(await engines),
    limits: async () => checkLimits(await engines),
    data: () => checkData(settings.data),
    disk: async () => checkDisk(await machine.disk(settings.data)),
    memory: async () => checkMemory(await machine.memory()),
    clock: () => checkClock(startedAt, clocks()),
    networks: async () =>
      checkPoolConflicts(settings.pool, await hostRoutes(), await engineSubnets().catch(() => [])),
    firewall: () => checkFirewall(machine, settings),
  };
}
