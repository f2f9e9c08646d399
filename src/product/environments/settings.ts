import { type Static, Type as t } from "@sinclair/typebox";

export const Health = t.Object({
  type: t.Union([t.Literal("http"), t.Literal("tcp"), t.Literal("none")], {
    description: "tcp: the port is open; none: running is enough",
  }),
  path: t.String({
    pattern: "^/[^\\s]*$",
    description: "As in /up; asked with GET, any answer below 500 is healthy",
  }),
  start_deadline_s: t.Integer({
    minimum: 5,
    maximum: 3600,
    description: "A new release must be healthy within",
  }),
  start_interval_ms: t.Integer({
    minimum: 50,
    maximum: 60_000,
    description: "How often a new release is asked until it is healthy",
  }),
  interval_s: t.Integer({
    minimum: 1,
    maximum: 3600,
    description: "How often a running app is asked",
  }),
  timeout_s: t.Integer({ minimum: 1, maximum: 300, description: "It must answer within" }),
  unhealthy_after: t.Integer({ minimum: 1, maximum: 10, description: "So many failures in a row" }),
});
export type Health = Static<typeof Health>;

export const Limits = t.Object({
  memory: t.String({ pattern: "^[1-9][0-9]*[kmg]?$", description: "As in 512m; at least 6m" }),
  cpus: t.Union([t.Number({ minimum: 0.01, maximum: 512 }), t.Null()], {
    description: "As in 0.5; null = no limit",
  }),
  pids: t.Integer({ minimum: 8, maximum: 1_000_000, description: "Processes and threads" }),
});
export type Limits = Static<typeof Limits>;

const VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$";
const Path = t.String({ minLength: 1, maxLength: 500, pattern: "^[^\\x00-\\x1f]+$" });
const BuildVars = (description: string) =>
  t.Record(t.String({ pattern: VARIABLE }), t.String({ maxLength: 10_000, pattern: "^[^\\x00\\r\\n]*$" }), {
    maxProperties: 100,
    description,
  });

export const Build = t.Object({
  mode: t.Union([t.Literal("auto"), t.Literal("dockerfile"), t.Literal("buildpack")], {
    description: "auto: the repository's Dockerfile if there is one, else a buildpack",
  }),
  buildpack: t.Union([t.String(), t.Null()], {
    description: "This one, as in node; null = the one that fits",
  }),
  dockerfile_path: t.Union([Path, t.Null()], {
    description: "From the app's directory; /docker/Dockerfile from the repository's root",
  }),
  context: t.Union([Path, t.Null()], {
    description:
      "What the build of a Dockerfile sees, as dockerfile_path is given; / is the whole repository",
  }),
  target: t.Union([t.String(), t.Null()], { description: "Stage of a Dockerfile; null = the last" }),
  platform: t.Union([t.String({ pattern: "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$" }), t.Null()], {
    description: "As in linux/arm64; default: the engine's own",
  }),
  args: BuildVars(
    "ARG of a Dockerfile; steps of a buildpack see them too. No secrets: they stay in its history",
  ),
  env: BuildVars("Variables of a buildpack's build, not of the running app"),
  secrets: t.Array(t.String({ pattern: VARIABLE }), {
    maxItems: 50,
    uniqueItems: true,
    description: "Names of config variables that the build may read, mounted as secrets and never kept",
  }),
  cache: t.Boolean({ description: "false: every build starts from nothing" }),
});
export type Build = Static<typeof Build>;

const Command = (description: string) =>
  t.Union([t.String({ minLength: 1, maxLength: 4000, pattern: "^[^\\x00-\\x08\\x0a-\\x1f]+$" }), t.Null()], {
    description,
  });

/** Commands around a deployment. null = the repository's own, of app.json or the Procfile. */
export const Hooks = t.Object({
  pre_build: Command("A command before everything else in the build"),
  release: Command("A command in the new image, before traffic moves"),
  post_deploy: Command("A command in the new image, when it is live"),
});
export type Hooks = Static<typeof Hooks>;

const PathPatterns = t.Array(t.String({ minLength: 1, maxLength: 200 }), {
  maxItems: 100,
  description:
    "From the repository's root: * in a segment, ** across; a plain directory stands for all below it",
});

/** How files are served, of apps that are nothing but files. Counts from the next build on. */
export const StaticSettings = t.Object({
  serve: t.Union([t.Literal("proxy"), t.Literal("container")], {
    description: "proxy: Diplo serves the files itself, without a container",
  }),
  root: t.Union([Path, t.Null()], {
    description: "Directory of the files, from the app's; default: found",
  }),
  index: t.String({ pattern: "^[^/\\x00-\\x1f]{1,200}$", description: "File that answers for a directory" }),
  spa: t.Union([t.Boolean(), t.Null()], {
    description: "Unknown paths get the root's index, for apps that route in the browser; default: found",
  }),
  error_page: t.Union([Path, t.Null()], {
    description: "Answers 404; default: 404.html if there is one",
  }),
  headers: t.Record(t.String(), t.Record(t.String(), t.String()), {
    description: 'By path, after those of a _headers file: {"/*": {"X-Frame-Options": "DENY"}}',
  }),
  cache_control: t.Union([t.String({ maxLength: 500, pattern: "^[\\t\\x20-\\x7e]+$" }), t.Null()], {
    description: "Cache-Control where headers say none; default: no-cache for pages, an hour for the rest",
  }),
});
export type StaticSettings = Static<typeof StaticSettings>;

/** What the next release of an environment is made with. Kept as JSON in environments.settings. */
export const EnvironmentSettings = t.Object({
  /** PORT in the container; null = the plan's or the image's own. */
  port: t.Union([t.Integer({ minimum: 1, maximum: 65535 }), t.Null()], {
    description: "PORT in the container; null = what the build or the image says",
  }),
  health: Health,
  limits: Limits,
  build: Build,
  static: StaticSettings,
  hooks: Hooks,
  hook_timeout_s: t.Integer({
    minimum: 10,
    maximum: 7200,
    description: "How long a release or post_deploy command may run",
  }),
  /** When a prebuilt image is sent again. A tag is always looked up first, except with `never`. */
  pull_policy: t.Union([t.Literal("always"), t.Literal("if_not_present"), t.Literal("never")], {
    description: "When a prebuilt image is fetched again",
  }),
  strategy: t.Union([t.Literal("rolling"), t.Literal("recreate")], {
    description: "rolling: the new release starts before the old one ends; recreate: after it",
  }),
  drain_s: t.Integer({ minimum: 0, maximum: 3600, description: "How long open requests may go on" }),
  stop_grace_s: t.Integer({
    minimum: 0,
    maximum: 600,
    description: "From SIGTERM to SIGKILL",
  }),
  build_timeout_s: t.Integer({ minimum: 10, maximum: 7200, description: "How long a build may take" }),
  max_body_bytes: t.Integer({
    minimum: 0,
    description: "The largest body of a request; a larger one gets 413",
  }),
  /** How the proxy chooses among the web instances. */
  balance: t.Union(
    [t.Literal("round_robin"), t.Literal("least_connections"), t.Literal("random"), t.Literal("ip_hash")],
    { description: "How the proxy chooses among the web instances" },
  ),
  sticky: t.Boolean({ description: "Keep a client at the instance that answered it first, by a cookie" }),
  access_log: t.Union([t.Literal("off"), t.Literal("json"), t.Literal("combined")], {
    description: "Write down each request that the proxy takes; see: diplo logs --source router",
  }),
  idle_timeout_s: t.Union([t.Integer({ minimum: 1, maximum: 30 * 24 * 3600 }), t.Null()], {
    description: "Put the web process to sleep after so long without use, as in 600; null = never",
  }),
  wake_deadline_s: t.Integer({
    minimum: 5,
    maximum: 600,
    description: "How long a request waits for a sleeping app to start",
  }),
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
  build: {
    mode: "auto",
    buildpack: null,
    dockerfile_path: null,
    context: null,
    target: null,
    platform: null,
    args: {},
    env: {},
    secrets: [],
    cache: true,
  },
  static: {
    serve: "proxy",
    root: null,
    index: "index.html",
    spa: null,
    error_page: null,
    headers: {},
    cache_control: null,
  },
  hooks: { pre_build: null, release: null, post_deploy: null },
  hook_timeout_s: 600,
  pull_policy: "if_not_present",
  strategy: "rolling",
  drain_s: 30,
  stop_grace_s: 10,
  build_timeout_s: 1800,
  max_body_bytes: 1024 ** 3,
  balance: "round_robin",
  sticky: false,
  access_log: "off",
  idle_timeout_s: null,
  wake_deadline_s: 60,
  watch_paths: [],
  ignore_paths: [],
  path_filter: "strict",
};

/** Some of the settings; of those that are made of several, some of these. */
export type SettingsChanges = Partial<Omit<EnvironmentSettings, Composite>> & {
  [name in Composite]?: Partial<EnvironmentSettings[name]>;
};
type Composite = "health" | "limits" | "build" | "static" | "hooks";

/** Settings with changes laid over them. */
export function laidOver(base: EnvironmentSettings, changes: SettingsChanges): EnvironmentSettings {
  return {
    ...base,
    ...changes,
    health: { ...base.health, ...changes.health },
    limits: { ...base.limits, ...changes.limits },
    build: { ...base.build, ...changes.build },
    static: { ...base.static, ...changes.static },
    hooks: { ...base.hooks, ...changes.hooks },
  };
}

/** Stored settings over the defaults: what was saved by an older version lacks what came later. */
export function withDefaults(stored: SettingsChanges): EnvironmentSettings {
  return laidOver(DEFAULT_SETTINGS, stored);
}
