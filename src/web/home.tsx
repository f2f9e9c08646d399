import { type BoxLineView, HomePage } from "../../ui/pages/home.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import type { App } from "../product/apps/app.ts";
import { list } from "../product/apps/operations.ts";
import type { Deployment } from "../product/deployments/deployment.ts";
import { list as listDeployments } from "../product/deployments/operations.ts";
import { stats } from "../product/system/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { lastHealing } from "./last-healing.ts";
import { answerPage } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";
import { requestSlots } from "./request-slots.ts";

const RECENT = 6;

async function home(call: RouteCall): Promise<Response> {
  const [apps, box, recent] = await Promise.all([
    perform(list, {}, call),
    boxLine(call),
    performOrNull(listDeployments, { limit: RECENT }, call),
  ]);
  const now = Date.now();
  const rows = apps.map((app) => ({ ...app, requests: requestSlots(call.parts, appRef(app), now) }));
  const body = (
    <HomePage box={box} apps={rows} recent={(recent ?? []).map((each) => withApp(each, apps))} now={now} />
  );
  return answerPage(call.request, signedIn(call), { title: "Apps", section: "apps", body });
}

function withApp(deployment: Deployment, apps: App[]) {
  const { app_id, environment, release } = deployment;
  const app = apps.find((each) => each.id === app_id && each.environment === environment);
  return {
    ...deployment,
    appRef: appRef({ name: deployment.app, environment }),
    current: release !== null && app?.release === release,
  };
}

async function boxLine(call: RouteCall): Promise<BoxLineView | null> {
  const facts = await performOrNull(stats, {}, call);
  if (!facts) return null;
  return {
    engine: await engineState(call),
    disk: facts.disk,
    memory: facts.memory,
    temperature_c: facts.temperature_c,
    queue: facts.queue,
    healed: lastHealing(call.parts),
  };
}

/** An engine that hangs must not hold up the page: it is asked for a moment only. */
const ENGINE_ANSWERS_MS = 1500;

async function engineState({ parts }: RouteCall): Promise<BoxLineView["engine"]> {
  if (!parts.runtimes.current) {
    const late = new Promise((resolve) => setTimeout(resolve, ENGINE_ANSWERS_MS).unref());
    await Promise.race([parts.runtimes.usable().catch(() => null), late]);
  }
  const info = parts.runtimes.current;
  if (!info) return { kind: "failed", word: "does not answer" };
  return { kind: "live", word: `${info.type} ${info.version}` };
}

export const homeRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/",
    permission: "apps:read",
    reason: "page: the box and all apps",
    page: true,
    handle: home,
  },
];
