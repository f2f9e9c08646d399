import { BoxPage } from "../../ui/pages/box.tsx";
import { doctor } from "../product/doctor/operations.ts";
import { info, runtimes, stats } from "../product/system/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";

async function box(call: RouteCall): Promise<Response> {
  const [system, load, engines, examined] = await Promise.all([
    perform(info, {}, call),
    perform(stats, {}, call),
    performOrNull(runtimes, {}, call),
    performOrNull(doctor, {}, call),
  ]);
  const body = (
    <BoxPage system={system} stats={load} runtimes={engines ?? []} checks={examined?.checks ?? []} />
  );
  return answerPage(call.request, signedIn(call), { title: "Box", section: "box", body });
}

export const boxRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/box",
    permission: "system:read",
    reason: "page: the box itself",
    page: true,
    handle: box,
  },
];
