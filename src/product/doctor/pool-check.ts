import { checkPool, freeSubnet, type HostRoute } from "../../engine/network/address-plan.ts";
import { DiploError } from "../../errors.ts";
import type { DoctorCheck } from "./check.ts";
import { fault, well } from "./check.ts";

/** Whether the apps' networks stay clear of the host's own, and whether one more is left. */
export function checkPoolConflicts(pool: string, routes: HostRoute[], engineSubnets: string[]): DoctorCheck {
  try {
    checkPool(pool, routes, engineSubnets);
    freeSubnet(pool, [...engineSubnets, ...routes.map(({ cidr }) => cidr)]);
    return well("networks", `pool ${pool} is clear of the host's routes`);
  } catch (error) {
    if (!(error instanceof DiploError)) throw error;
    return fault("networks", error.detail, error.hint ?? "Choose another range with --pool.");
  }
}
