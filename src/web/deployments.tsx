import { type DeploymentRowView, DeploymentsPage } from "../../ui/pages/deployments.tsx";
import { info } from "../product/apps/operations.ts";
import type { Deployment } from "../product/deployments/deployment.ts";
import { listOfApp } from "../product/deployments/operations.ts";
import { list as listReleases } from "../product/releases/operations.ts";
import type { Release } from "../product/releases/release.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";
import { releaseDifferences } from "./release-differences.ts";

const PER_PAGE = 25;

async function history(call: RouteCall): Promise<Response> {
  const ref = call.params.app ?? "";
  const offset = Math.max(0, Math.floor(Number(call.query.get("offset") ?? 0)) || 0);
  const app = await perform(info, { app: ref }, call);
  const [deployments, releases] = await Promise.all([
    perform(listOfApp, { app: ref, limit: PER_PAGE + 1, offset }, call),
    performOrNull(listReleases, { app: ref }, call),
  ]);
  const rows = deployments.slice(0, PER_PAGE).map((deployment) => rowOf(deployment, releases ?? []));
  const older = deployments.length > PER_PAGE ? `?offset=${offset + PER_PAGE}` : null;
  const body = <DeploymentsPage app={app} deployments={rows} older={older} now={Date.now()} />;
  return answerPage(call.request, signedIn(call), {
    title: `Deployments of ${app.name}`,
    section: "apps",
    body,
  });
}

function rowOf(deployment: Deployment, releases: Release[]): DeploymentRowView {
  const release = releases.find((each) => each.version === deployment.release);
  const before = releases.find(
    (each) => deployment.release !== null && each.version === deployment.release - 1,
  );
  return {
    ...deployment,
    differences: release ? releaseDifferences(before ?? null, release) : [],
    current: release?.status === "current",
    mayReturn: deployment.status === "success" && release?.status === "previous",
  };
}

export const deploymentsRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/deployments",
    permission: "apps:read",
    reason: "page: an app's history",
    page: true,
    handle: history,
  },
];
