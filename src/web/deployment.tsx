import type { PhaseView } from "../../ui/components/phase-bar.tsx";
import { DeploymentPage } from "../../ui/pages/deployment.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import { type DeploymentPartsView, isUnderWay } from "../../ui/partials/deployment-parts.tsx";
import { info as appInfo } from "../product/apps/operations.ts";
import { cancel, info, listOfApp, retry } from "../product/deployments/operations.ts";
import type { App, Deployment } from "../product/schema.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { streamDeployment } from "./deployment-stream.tsx";
import { logTail } from "./log-tail.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";

async function show(call: RouteCall): Promise<Response> {
  const deployment = await perform(info, { deployment: call.params.deployment }, call);
  const app = await perform(
    appInfo,
    { app: appRef({ name: deployment.app, environment: deployment.environment }) },
    call,
  );
  const parts = await partsOf(call, deployment, app);
  const log = await logTail(call.parts.jobs.log(deployment.job_id));
  const body = (
    <DeploymentPage
      {...parts}
      app={app}
      commit={deployment.commit}
      commit_message={deployment.commit_message}
      author={deployment.author}
      origin={originOf(deployment)}
      log={log.lines}
      logEnd={log.end}
    />
  );
  return answerPage(call.request, signedIn(call), {
    title: `Deployment of ${app.name}`,
    section: "apps",
    body,
  });
}

/** What of the page changes while it runs. */
async function partsOf(call: RouteCall, deployment: Deployment, app: App): Promise<DeploymentPartsView> {
  return {
    deployment,
    appRef: appRef(app),
    url: app.release === null ? null : app.url,
    phases: deployment.steps,
    previous: await previousPhases(call, deployment),
    now: Date.now(),
  };
}

/** The last one before this that went live, to compare durations with. */
async function previousPhases(call: RouteCall, deployment: Deployment): Promise<PhaseView[] | null> {
  const ref = appRef({ name: deployment.app, environment: deployment.environment });
  const others = await performOrNull(listOfApp, { app: ref, limit: 20 }, call);
  const before = others?.find(
    (other) => other.status === "success" && other.created_at < deployment.created_at,
  );
  return before?.steps ?? null;
}

function originOf({ source }: Deployment): string | null {
  if (!source) return null;
  if (source.kind === "upload") return "a directory";
  return source.tag ?? source.branch ?? source.repo_url;
}

async function follow(call: RouteCall): Promise<Response> {
  const deployment = await perform(info, { deployment: call.params.deployment }, call);
  const app = await perform(
    appInfo,
    { app: appRef({ name: deployment.app, environment: deployment.environment }) },
    call,
  );
  const previous = await previousPhases(call, deployment);
  return streamDeployment(call, deployment.job_id, async () => {
    const fresh = await perform(info, { deployment: deployment.id }, call);
    const over = !isUnderWay(fresh.status);
    const now = over ? await perform(appInfo, { app: appRef(app) }, call) : app;
    return { ...(await partsOf(call, fresh, now)), previous };
  });
}

async function cancelIt(call: RouteCall): Promise<Response> {
  const { id } = await perform(cancel, { deployment: call.params.deployment }, call);
  return goTo(call.request, `/deployments/${encodeURIComponent(id)}`);
}

async function tryAgain(call: RouteCall): Promise<Response> {
  const answer = await perform(retry, { deployment: call.params.deployment, wait: false }, call);
  return goTo(call.request, `/deployments/${encodeURIComponent(deploymentIdOf(answer))}`);
}

export const deploymentRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/deployments/:deployment",
    permission: "apps:read",
    reason: "page: one deployment",
    page: true,
    handle: show,
  },
  {
    method: "GET",
    path: "/deployments/:deployment/stream",
    permission: "apps:read",
    reason: "event stream: phases and log of a deployment as markup",
    handle: follow,
  },
  {
    method: "POST",
    path: "/deployments/:deployment/cancel",
    permission: "deploy",
    reason: "form: cancels it",
    page: true,
    handle: cancelIt,
  },
  {
    method: "POST",
    path: "/deployments/:deployment/retry",
    permission: "deploy",
    reason: "form: the same attempt once more",
    page: true,
    handle: tryAgain,
  },
];
