import { JobsPage, type JobsView, type JobView } from "../../ui/pages/jobs.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import type { App } from "../product/apps/app.ts";
import { list as listApps } from "../product/apps/operations.ts";
import type { Job } from "../product/jobs/job-body.ts";
import { cancel, list } from "../product/jobs/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";

const FAILED_SHOWN = 20;

const isFilter = (text: string | null): text is JobsView["filter"] => text === "failed" || text === "all";

async function jobs(call: RouteCall): Promise<Response> {
  const show = call.query.get("show");
  const filter: JobsView["filter"] = isFilter(show) ? show : "open";
  const [found, apps] = await Promise.all([jobsFor(call, filter), perform(listApps, {}, call)]);
  const body = <JobsPage jobs={found.map((job) => viewOf(job, apps))} filter={filter} now={Date.now()} />;
  return answerPage(call.request, signedIn(call), { title: "Jobs", section: "jobs", body });
}

async function jobsFor(call: RouteCall, filter: JobsView["filter"]): Promise<Job[]> {
  if (filter === "all") return perform(list, { limit: 100 }, call);
  const failed = perform(list, { status: "failed", limit: FAILED_SHOWN }, call);
  if (filter === "failed") return failed;
  const open = [
    perform(list, { status: "running", limit: 100 }, call),
    perform(list, { status: "queued", limit: 100 }, call),
  ];
  return (await Promise.all([...open, failed])).flat();
}

function viewOf(job: Job, apps: App[]): JobView {
  const app = apps.find((each) => each.id === job.subject);
  return { ...job, app: app ? appRef(app) : null, deployment: job.type === "deployment" ? job.id : null };
}

async function cancelIt(call: RouteCall): Promise<Response> {
  await perform(cancel, { job: call.params.job }, call);
  return goTo(call.request, "/jobs");
}

export const jobsRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/jobs",
    permission: "apps:read",
    reason: "page: everything running or failed",
    page: true,
    handle: jobs,
  },
  {
    method: "POST",
    path: "/jobs/:job/cancel",
    permission: "deploy",
    reason: "form: cancels a job",
    page: true,
    handle: cancelIt,
  },
];
