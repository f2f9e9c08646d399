import { AppPage } from "../../ui/pages/app.tsx";
import { info } from "../product/apps/operations.ts";
import { listOfApp } from "../product/deployments/operations.ts";
import { list as listInstances } from "../product/instances/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { requestsView } from "./app-requests.tsx";
import { answerPage } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";

const RECENT = 5;

async function overview(call: RouteCall): Promise<Response> {
  const ref = call.params.app ?? "";
  const app = await perform(info, { app: ref }, call);
  const [instances, recent] = await Promise.all([
    performOrNull(listInstances, { app: ref }, call),
    performOrNull(listOfApp, { app: ref, limit: RECENT }, call),
  ]);
  const now = Date.now();
  const body = (
    <AppPage
      app={app}
      failure={app.error}
      instances={instances ?? []}
      recent={(recent ?? []).map((each) => ({ ...each, current: each.release === app.release }))}
      requests={await requestsView(call, null)}
      now={now}
    />
  );
  return answerPage(call.request, signedIn(call), { title: app.name, section: "apps", body });
}

export const appRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app",
    permission: "apps:read",
    reason: "page: one app",
    page: true,
    handle: overview,
  },
];
