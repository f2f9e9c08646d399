import type { PhaseView } from "../../ui/components/phase-bar.tsx";
import { DeploymentPage } from "../../ui/pages/deployment.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import type { DeploymentPartsView } from "../../ui/partials/deployment-parts.tsx";
import { info as appInfo } from "../product/apps/operations.ts";
import type { Deployment } from "../product/deployments/deployment.ts";
import { cancel, info, listOfApp, retry } from "../product/deployments/operations.ts";
import { list as listReleases } from "../product/releases/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { deploymentIdOf } from "./deployment-id.ts";
import { streamDeployment } from "./deployment-stream.tsx";
import { logTail } from "./log-tail.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";

async function show(call: RouteCall): Promise<Response> {
  const parts = await partsOf(call, await previousPhases(call));
  const log = await logTail(call.parts.jobs.log(parts.jobId));
  const body = <DeploymentPage {...parts} log={log.lines} logEnd={log.end} />;
  const title = `Deployment of ${parts.app.name}`;
  return answerPage(call.request, signedIn(call), { title, section: "apps", body });
}

/** What of the page changes while it runs. */
async function partsOf(
  call: RouteCall,
  previous: PhaseView[] | null,
): Promise<DeploymentPartsView & { jobId: string }> {
  const deployment = await perform(info, { deployment: call.params.deployment }, call);
  const app = await perform(appInfo, { app: refOf(deployment) }, call);
  const releases = await performOrNull(listReleases, { app: refOf(deployment) }, call);
  const own = releases?.find(({ version }) => version === deployment.release);
  const before = releases?.find(
    ({ version, status }) => status === "previous" && version < (deployment.release ?? 0),
  );
  const current = deployment.status === "success" && own?.status === "current";
  const returnTo = current ? before : own?.status === "previous" ? own : undefined;
  return {
    jobId: deployment.job_id,
    app,
    deployment,
    origin: originOf(deployment),
    returnTo: returnTo?.version ?? null,
    current,
    // The browser lets a running phase tick from its start.
    phases: deployment.steps.map((step) =>
      step.status === "running" ? { ...step, duration_ms: null } : step,
    ),
    previous,
    now: Date.now(),
  };
}

const refOf = ({ app, environment }: Deployment): string => appRef({ name: app, environment });

/** The last one before this that went live, to compare durations with. */
async function previousPhases(call: RouteCall): Promise<PhaseView[] | null> {
  const deployment = await perform(info, { deployment: call.params.deployment }, call);
  const others = await performOrNull(listOfApp, { app: refOf(deployment), limit: 20 }, call);
  const before = others?.find((other) => other.status === "success" && other.id < deployment.id);
  return before?.steps ?? null;
}

function originOf({ source }: Deployment): string | null {
  if (!source) return null;
  if (source.kind === "upload") return "a directory";
  return source.image ?? source.tag ?? source.branch ?? source.repo_url;
}

async function follow(call: RouteCall): Promise<Response> {
  const previous = await previousPhases(call);
  const { jobId } = await partsOf(call, previous);
  return streamDeployment(call, jobId, () => partsOf(call, previous));
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
