import { errorOf } from "../../jobs/error-record.ts";
import type { JobRow, JobStepRow } from "../../jobs/job.ts";
import { iso, isoOrNull } from "../schema.ts";
import { sourceBody } from "../sources/source-body.ts";
import { DEPLOYMENT_STEPS, type Deployment, type DeploymentStep } from "./deployment.ts";
import type { DeploymentRequest } from "./deployment-state.ts";

export interface DeploymentRow {
  id: string;
  environment_id: string;
  job_id: string;
  trigger: string;
  created_by: string;
  request: string;
  release_id: string | null;
  outcome: "live" | "failed" | "cancelled" | "superseded" | null;
  created_at: number;
  finished_at: number | null;
  app: string;
  app_id: string;
  environment: string;
  release: number | null;
  /** JSON ErrorRecord[]. */
  warnings: string;
  commit_sha: string | null;
  message: string | null;
  author: string | null;
}

/** A deployment as the API shows it, out of its row, its job and the job's steps. */
export function deploymentBody(row: DeploymentRow, job: JobRow, steps: JobStepRow[]): Deployment {
  const request = JSON.parse(row.request) as DeploymentRequest;
  const shown = stepBodies(request, job, steps);
  return {
    id: row.id,
    app: row.app,
    app_id: row.app_id,
    environment: row.environment,
    status: statusOf(row, job),
    step: row.outcome === "live" ? "live" : job.step,
    progress:
      row.outcome === "live" ? 1 : shown.filter((step) => step.status === "done").length / shown.length,
    message: job.message,
    trigger: row.trigger,
    created_by: row.created_by,
    source: sourceBody(request.source),
    commit: row.commit_sha,
    commit_message: row.message,
    author: row.author,
    steps: shown,
    release: row.release,
    error: row.outcome === "live" ? null : errorOf(job),
    warnings: JSON.parse(row.warnings),
    job_id: job.id,
    created_at: iso(row.created_at),
    finished_at: isoOrNull(row.finished_at),
  };
}

function statusOf(row: DeploymentRow, job: JobRow): Deployment["status"] {
  if (row.outcome === "live") return "success";
  if (row.outcome !== null) return row.outcome;
  if (job.started_at === null) return "queued";
  return ["fetching", "planning", "building"].includes(job.step) ? "building" : "deploying";
}

function stepBodies(request: DeploymentRequest, job: JobRow, steps: JobStepRow[]): DeploymentStep[] {
  const hasHook = steps.some(({ step }) => step === "finishing");
  return [...DEPLOYMENT_STEPS, ...(hasHook ? ["finishing"] : [])].map((name) => {
    const tries = steps.filter((step) => step.step === name);
    const first = tries[0];
    if (!first) {
      const skipped = request.source === null && ["fetching", "planning", "building"].includes(name);
      return { name, status: skipped ? "skipped" : "pending", started_at: null, duration_ms: null };
    }
    const last = tries.at(-1) ?? first;
    const running = last.finished_at === null && job.finished_at === null;
    const end = last.finished_at ?? (running ? Date.now() : (job.finished_at ?? Date.now()));
    const waiting = job.step === name && job.error === null && job.finished_at === null;
    return {
      name,
      status: last.outcome === "done" ? "done" : running || waiting ? "running" : "failed",
      started_at: iso(first.started_at),
      duration_ms: end - first.started_at,
    };
  });
}
