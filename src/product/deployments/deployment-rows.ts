import { notFound } from "../../errors.ts";
import type { JobRunner } from "../../jobs/job-runner.ts";
import type { Store } from "../../store/store.ts";
import type { Environments } from "../environments/environments.ts";
import type { Deployment } from "./deployment.ts";
import { type DeploymentRow, deploymentBody } from "./deployment-body.ts";
import type { DeploymentRequest } from "./deployment-state.ts";

const SELECT = `select d.*, a.name as app, a.id as app_id, e.name as environment, r.number as release,
  coalesce(s.commit_sha, json_extract(r.spec, '$.commit')) as commit_sha, s.message, s.author
  from deployments d join environments e on e.id = d.environment_id join apps a on a.id = e.app_id
  left join releases r on r.id = d.release_id left join builds b on b.id = coalesce(d.build_id, r.build_id)
  left join sources s on s.id = coalesce(d.source_id, b.source_id)`;

/** Reads deployments: what was asked for, and what became of it. */
export class DeploymentRows {
  constructor(private readonly parts: { store: Store; jobs: JobRunner; environments: Environments }) {}

  /** Throws `deployment_not_found`. */
  row(id: string): DeploymentRow {
    const row = this.parts.store.get<DeploymentRow>(`${SELECT} where d.id = $id`, { id });
    if (!row) throw notFound("deployment", id);
    return row;
  }

  list({
    app,
    status,
    limit = 20,
    offset = 0,
  }: {
    app?: string;
    status?: string;
    limit?: number;
    offset?: number;
  }): Deployment[] {
    const environmentId = app === undefined ? null : this.parts.environments.find(app).id;
    const rows = this.parts.store.all<DeploymentRow>(
      `${SELECT} where ($environmentId is null or d.environment_id = $environmentId)
       order by d.id desc limit $limit offset $offset`,
      { environmentId, limit, offset },
    );
    return rows.map((row) => this.body(row)).filter((body) => status === undefined || body.status === status);
  }

  get(id: string): Deployment {
    return this.body(this.row(id));
  }

  /** The deployment under way in an environment. */
  open(environmentId: string): Deployment | null {
    const row = this.parts.store.get<DeploymentRow>(
      `${SELECT} where d.environment_id = $environmentId and d.outcome is null order by d.id desc limit 1`,
      { environmentId },
    );
    return row ? this.body(row) : null;
  }

  /** Every one that has not ended, oldest first: one runs, others may wait for their turn. */
  allOpen(environmentId: string): string[] {
    return this.parts.store
      .all<{ id: string }>(
        "select id from deployments where environment_id = $environmentId and outcome is null order by id",
        { environmentId },
      )
      .map(({ id }) => id);
  }

  /** The newest one that ended. */
  last(environmentId: string): Deployment | null {
    const row = this.parts.store.get<DeploymentRow>(
      `${SELECT} where d.environment_id = $environmentId and d.outcome in ('live', 'failed') order by d.id desc limit 1`,
      { environmentId },
    );
    return row ? this.body(row) : null;
  }

  /** The newest that waits for its turn and never ran. */
  queued(environmentId: string): { id: string; request: DeploymentRequest } | null {
    const row = this.parts.store.get<{ id: string; request: string }>(
      `select d.id, d.request from deployments d join jobs j on j.id = d.job_id
       where d.environment_id = $environmentId and j.status = 'queued' and j.started_at is null
       order by d.id desc limit 1`,
      { environmentId },
    );
    return row && { id: row.id, request: JSON.parse(row.request) };
  }

  private body(row: DeploymentRow): Deployment {
    return deploymentBody(row, this.parts.jobs.get(row.job_id), this.parts.jobs.steps(row.job_id));
  }
}
