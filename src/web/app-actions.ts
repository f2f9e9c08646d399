import { again } from "../product/deployments/operations.ts";
import { restart, start, stop } from "../product/instances/operations.ts";
import { rollback } from "../product/releases/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { appForm } from "./app-form.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { filled, readForm } from "./form-body.ts";
import { goTo } from "./page.ts";
import { perform } from "./perform.ts";

/** To the deployment it led to; without one back to the app. */
function follow(call: RouteCall, deploymentId: string | null): Response {
  const app = encodeURIComponent(call.params.app ?? "");
  return goTo(
    call.request,
    deploymentId === null ? `/apps/${app}` : `/deployments/${encodeURIComponent(deploymentId)}`,
  );
}

async function deployAgain(call: RouteCall): Promise<Response> {
  return follow(call, deploymentIdOf(await perform(again, { app: call.params.app, wait: false }, call)));
}

async function rollBack(call: RouteCall): Promise<Response> {
  const release = filled(await readForm(call.request), "release");
  const input = { app: call.params.app, wait: false, ...(release ? { release } : {}) };
  return follow(call, deploymentIdOf(await perform(rollback, input, call)));
}

const turn =
  (operation: typeof restart | typeof stop | typeof start) =>
  async (call: RouteCall): Promise<Response> =>
    follow(call, (await perform(operation, { app: call.params.app }, call)).deployment_id);

/** Buttons of an app's pages. */
export const appActionRoutes: HandRoute[] = [
  appForm("deploy", "deploy", deployAgain),
  appForm("rollback", "deploy", rollBack),
  appForm("restart", "apps:write", turn(restart)),
  appForm("stop", "apps:write", turn(stop)),
  appForm("start", "apps:write", turn(start)),
];
