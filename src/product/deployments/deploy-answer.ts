import { type Static, Type as t } from "@sinclair/typebox";
import { DiploError } from "../../errors.ts";
import { errorOf } from "../../jobs/error-record.ts";
import type { JobRow } from "../../jobs/job.ts";
import { Reply } from "../../operation.ts";
import { refOf } from "../environments/environments.ts";
import type { Deployment } from "./deployment.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentRows } from "./deployment-rows.ts";

/** Answer of a deployment that went live (design.md §7). */
export const Deployed = t.Object({
  id: t.String({ description: "The app's id" }),
  name: t.String(),
  port: t.Integer(),
  url: t.String(),
  status: t.String(),
  health: t.String(),
  deployment_id: t.String(),
  release: t.Union([t.Integer(), t.Null()]),
});
export type Deployed = Static<typeof Deployed>;

/** Answer to `if_changed` when nothing that counts has changed: no deployment was made. */
export const Unchanged = t.Object({
  name: t.String(),
  changed: t.Literal(false),
  reason: t.String(),
  commit: t.String({ description: "What the repository has now" }),
  release: t.Integer({ description: "What goes on serving" }),
});
export type Unchanged = Static<typeof Unchanged>;

/**
 * What whoever asked for a deployment is told: how it ended, or at once where to follow it. The signal only ends the
 * waiting. Throws what made it fail.
 */
export async function deployAnswer(
  { jobs, environments, routes }: Pick<DeploymentParts, "jobs" | "environments" | "routes">,
  rows: DeploymentRows,
  id: string,
  { wait = true, signal }: { wait?: boolean; signal: AbortSignal },
): Promise<Reply<Deployed | Deployment>> {
  if (!wait) return new Reply(202, rows.get(id), { location: `/api/v1/deployments/${id}` });
  const { job_id, environment_id } = rows.row(id);
  const job = await jobs.wait(job_id, signal);
  const deployment = rows.get(id);
  if (deployment.status !== "success") throw failed(deployment, job);
  const environment = environments.byId(environment_id);
  return new Reply(201, {
    id: environment.app_id,
    name: refOf(environment),
    port: environment.port,
    url: routes.addressesOf(environment)[0]?.url ?? "",
    status: "running",
    health: "healthy",
    deployment_id: id,
    release: deployment.release,
  });
}

function failed(deployment: Deployment, job: JobRow): DiploError {
  if (deployment.status === "superseded")
    return new DiploError("superseded", `deployment ${deployment.id} was overtaken by a newer one`, {
      status: 409,
      facts: { deployment_id: deployment.id },
    });
  const error = errorOf(job);
  return new DiploError(
    error?.code ?? deployment.status,
    error?.title ?? `the deployment ${deployment.status}`,
    {
      status: 422,
      detail: error?.detail,
      hint: error?.hint ?? undefined,
      evidence: error?.evidence,
      facts: { deployment_id: deployment.id },
    },
  );
}
