import { type Static, Type as t } from "@sinclair/typebox";
import { ErrorBody, Time } from "../schema.ts";
import { SourceBody } from "../sources/source-body.ts";

export const DeploymentStep = t.Object({
  name: t.String(),
  status: t.Union([
    t.Literal("pending"),
    t.Literal("running"),
    t.Literal("done"),
    t.Literal("failed"),
    t.Literal("skipped"),
  ]),
  started_at: t.Union([Time, t.Null()]),
  duration_ms: t.Union([t.Integer(), t.Null()]),
});
export type DeploymentStep = Static<typeof DeploymentStep>;

/** What every deployment goes through, in order; one with a post_deploy hook ends with finishing. */
export const DEPLOYMENT_STEPS = [
  "fetching",
  "planning",
  "building",
  "releasing",
  "starting",
  "verifying",
  "routing",
] as const;

/** An attempt to make a release live as the API shows it. */
export const Deployment = t.Object({
  id: t.String(),
  app: t.String(),
  app_id: t.String(),
  environment: t.String(),
  /** Derived: queued, building, deploying, success, failed, cancelled, superseded. */
  status: t.Union([
    t.Literal("queued"),
    t.Literal("building"),
    t.Literal("deploying"),
    t.Literal("success"),
    t.Literal("failed"),
    t.Literal("cancelled"),
    t.Literal("superseded"),
  ]),
  /** The work to do next, `live` when done. */
  step: t.String(),
  progress: t.Number(),
  message: t.String(),
  trigger: t.String(),
  created_by: t.String(),
  source: t.Union([SourceBody, t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  commit_message: t.Union([t.String(), t.Null()]),
  author: t.Union([t.String(), t.Null()]),
  steps: t.Array(DeploymentStep),
  release: t.Union([t.Integer(), t.Null()]),
  error: t.Union([ErrorBody, t.Null()]),
  /** What is not as it should be although it is live: a post_deploy hook that failed, values that need a new build. */
  warnings: t.Array(ErrorBody),
  job_id: t.String(),
  created_at: Time,
  finished_at: t.Union([Time, t.Null()]),
});
export type Deployment = Static<typeof Deployment>;
