import { type Static, Type as t } from "@sinclair/typebox";

/** Shapes that several nouns share in the API (snake_case, times as ISO 8601 UTC). */

export const AppRef = t.String({
  description: "App name or id; `name@environment` for another environment than production",
  minLength: 1,
  maxLength: 200,
});

export const Time = t.String({ format: "date-time" });

export const ErrorBody = t.Object({
  code: t.String(),
  title: t.String(),
  detail: t.String(),
  evidence: t.Array(t.String()),
  hint: t.Union([t.String(), t.Null()]),
});
export type ErrorBody = Static<typeof ErrorBody>;

export const Health = t.Object({
  type: t.Union([t.Literal("http"), t.Literal("tcp"), t.Literal("none")]),
  path: t.String({
    pattern: "^/[^\\s]*$",
    description: "As in /up; asked with GET, any answer below 500 is healthy",
  }),
  start_deadline_s: t.Integer({ minimum: 5, maximum: 3600 }),
  start_interval_ms: t.Integer({ minimum: 50, maximum: 60_000 }),
  interval_s: t.Integer({ minimum: 1, maximum: 3600 }),
  timeout_s: t.Integer({ minimum: 1, maximum: 300 }),
  unhealthy_after: t.Integer({ minimum: 1, maximum: 10 }),
});
export type Health = Static<typeof Health>;

export const Limits = t.Object({
  memory: t.String({ pattern: "^[1-9][0-9]*[kmg]?$", description: "As in 512m; at least 6m" }),
  cpus: t.Union([t.Number({ minimum: 0.01, maximum: 512 }), t.Null()]),
  pids: t.Integer({ minimum: 8, maximum: 1_000_000 }),
});
export type Limits = Static<typeof Limits>;

export const Build = t.Object({
  mode: t.Union([t.Literal("auto"), t.Literal("dockerfile"), t.Literal("buildpack")]),
  buildpack: t.Union([t.String(), t.Null()]),
  dockerfile_path: t.Union([t.String(), t.Null()]),
  target: t.Union([t.String(), t.Null()]),
});
export type Build = Static<typeof Build>;

const PathPatterns = t.Array(t.String({ minLength: 1, maxLength: 200 }), {
  maxItems: 100,
  description:
    "From the repository's root: * in a segment, ** across; a plain directory stands for all below it",
});

/** What the next release of an environment is made with. Kept as JSON in environments.settings. */
export const EnvironmentSettings = t.Object({
  /** PORT in the container; null = the plan's or the image's own. */
  port: t.Union([t.Integer({ minimum: 1, maximum: 65535 }), t.Null()]),
  health: Health,
  limits: Limits,
  build: Build,
  /** When a prebuilt image is sent again. A tag is always looked up first, except with `never`. */
  pull_policy: t.Union([t.Literal("always"), t.Literal("if_not_present"), t.Literal("never")]),
  strategy: t.Union([t.Literal("rolling"), t.Literal("recreate")]),
  drain_s: t.Integer({ minimum: 0, maximum: 3600 }),
  stop_grace_s: t.Integer({ minimum: 0, maximum: 600 }),
  build_timeout_s: t.Integer({ minimum: 10, maximum: 7200 }),
  max_body_bytes: t.Integer({ minimum: 0 }),
  /** Which changed files count for a deployment that asks for changes; empty = all, or the app's subdirectory. */
  watch_paths: PathPatterns,
  ignore_paths: PathPatterns,
  path_filter: t.Union([t.Literal("strict"), t.Literal("loose")], {
    description: "strict: watched and not ignored; loose: anything that is not ignored",
  }),
});
export type EnvironmentSettings = Static<typeof EnvironmentSettings>;

export const DEFAULT_SETTINGS: EnvironmentSettings = {
  port: null,
  health: {
    type: "http",
    path: "/",
    start_deadline_s: 60,
    start_interval_ms: 250,
    interval_s: 10,
    timeout_s: 5,
    unhealthy_after: 3,
  },
  limits: { memory: "512m", cpus: null, pids: 512 },
  build: { mode: "auto", buildpack: null, dockerfile_path: null, target: null },
  pull_policy: "if_not_present",
  strategy: "rolling",
  drain_s: 30,
  stop_grace_s: 10,
  build_timeout_s: 1800,
  max_body_bytes: 1024 ** 3,
  watch_paths: [],
  ignore_paths: [],
  path_filter: "strict",
};

export const SourceBody = t.Object({
  kind: t.Union([t.Literal("git"), t.Literal("upload"), t.Literal("image")]),
  repo_url: t.Union([t.String(), t.Null()]),
  branch: t.Union([t.String(), t.Null()]),
  tag: t.Union([t.String(), t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  /** Name of a prebuilt image. */
  image: t.Union([t.String(), t.Null()]),
  subdirectory: t.String(),
});
export type SourceBody = Static<typeof SourceBody>;

/** Status of an app as a whole (capabilities C3). */
export const AppStatus = t.Union([
  t.Literal("idle"),
  t.Literal("deploying"),
  t.Literal("redeploying"),
  t.Literal("running"),
  t.Literal("degraded"),
  t.Literal("stopped"),
  t.Literal("error"),
  t.Literal("destroying"),
]);
export type AppStatus = Static<typeof AppStatus>;

export const App = t.Object({
  id: t.String(),
  name: t.String(),
  environment: t.String(),
  status: AppStatus,
  /** First address a person should try; on the LAN's name. */
  url: t.String(),
  /** Every address, host names first, then the app's own port. */
  urls: t.Array(t.String()),
  port: t.Integer(),
  source: t.Union([SourceBody, t.Null()]),
  release: t.Union([t.Integer(), t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  commit_message: t.Union([t.String(), t.Null()]),
  deployed_at: t.Union([Time, t.Null()]),
  deployed_by: t.Union([t.String(), t.Null()]),
  /** The deployment now under way. */
  deployment_id: t.Union([t.String(), t.Null()]),
  /** Why the last deployment failed; null once a later one is live. */
  error: t.Union([ErrorBody, t.Null()]),
  instances: t.Object({ wanted: t.Integer(), running: t.Integer() }),
  runtime_type: t.String(),
  settings: EnvironmentSettings,
  created_at: Time,
});
export type App = Static<typeof App>;

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

export const DEPLOYMENT_STEPS = [
  "fetching",
  "planning",
  "building",
  "releasing",
  "starting",
  "verifying",
  "routing",
] as const;
export type DeploymentStepName = (typeof DEPLOYMENT_STEPS)[number];

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
  job_id: t.String(),
  created_at: Time,
  finished_at: t.Union([Time, t.Null()]),
});
export type Deployment = Static<typeof Deployment>;

export const Release = t.Object({
  version: t.Integer(),
  status: t.Union([t.Literal("current"), t.Literal("previous"), t.Literal("failed"), t.Literal("pruned")]),
  image_id: t.String(),
  /** Name and digest of a prebuilt image. */
  image: t.Union([t.String(), t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  commit_message: t.Union([t.String(), t.Null()]),
  provider: t.String(),
  processes: t.Record(
    t.String(),
    t.Object({ command: t.Union([t.Array(t.String()), t.Null()]), from: t.String() }),
  ),
  config: t.Record(t.String(), t.Integer(), { description: "Config names and their versions" }),
  from_release: t.Union([t.Integer(), t.Null()]),
  created_by: t.String(),
  created_at: Time,
});
export type Release = Static<typeof Release>;

export const Instance = t.Object({
  id: t.String(),
  name: t.String(),
  process: t.String(),
  slot: t.Integer(),
  release: t.Integer(),
  status: t.Union([
    t.Literal("starting"),
    t.Literal("running"),
    t.Literal("unhealthy"),
    t.Literal("stopping"),
    t.Literal("stopped"),
    t.Literal("crashed"),
  ]),
  routed: t.Boolean(),
  address: t.String(),
  restarts: t.Integer(),
  last_exit: t.Union([t.Object({ exit_code: t.Integer(), oom_killed: t.Boolean(), at: Time }), t.Null()]),
  created_at: Time,
});
export type Instance = Static<typeof Instance>;

export const Job = t.Object({
  id: t.String(),
  type: t.String(),
  status: t.String(),
  step: t.String(),
  progress: t.Number(),
  message: t.String(),
  attempts: t.Integer(),
  subject: t.Union([t.String(), t.Null()]),
  error: t.Union([ErrorBody, t.Null()]),
  created_by: t.String(),
  created_at: Time,
  started_at: t.Union([Time, t.Null()]),
  finished_at: t.Union([Time, t.Null()]),
});
export type Job = Static<typeof Job>;

export const ConfigVar = t.Object({
  name: t.String(),
  /** null when masked. */
  value: t.Union([t.String(), t.Null()]),
  secret: t.Boolean(),
  version: t.Integer(),
  updated_at: Time,
  updated_by: t.String(),
});
export type ConfigVar = Static<typeof ConfigVar>;

export const Volume = t.Object({
  name: t.String(),
  mount_path: t.String(),
  process: t.String(),
  read_only: t.Boolean(),
  engine_name: t.String(),
  created_at: Time,
});
export type Volume = Static<typeof Volume>;

export const Token = t.Object({
  id: t.String(),
  name: t.String(),
  prefix: t.String(),
  permissions: t.Array(t.String()),
  created_at: Time,
  last_used_at: t.Union([Time, t.Null()]),
  expires_at: t.Union([Time, t.Null()]),
});
export type Token = Static<typeof Token>;

export const DoctorCheck = t.Object({
  name: t.String(),
  status: t.Union([t.Literal("ok"), t.Literal("warning"), t.Literal("fault")]),
  detail: t.String(),
  remedy: t.Union([t.String(), t.Null()]),
});
export type DoctorCheck = Static<typeof DoctorCheck>;

/** Unix milliseconds as the API writes them. */
export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null | undefined): string | null => (ms == null ? null : iso(ms));
