import { Type as t } from "@sinclair/typebox";
import { operation, Reply } from "../../operation.ts";
import {
  Build,
  EnvironmentSettings,
  Health,
  Hooks,
  Limits,
  StaticSettings,
} from "../environments/settings.ts";
import { AppRef } from "../schema.ts";
import { App, AppStatus } from "./app.ts";

export const list = operation({
  verb: "apps",
  method: "GET",
  path: "/apps",
  summary: "All apps",
  input: t.Object({}),
  output: t.Array(App),
  permission: "apps:read",
  run: (_call, { apps }) => apps.list(),
});

export const create = operation({
  verb: "apps:create",
  method: "POST",
  path: "/apps",
  summary: "Make an app without deploying it",
  input: t.Object({ name: t.String({ description: "A DNS label: a-z, 0-9 and -, at most 63" }) }),
  output: App,
  permission: "apps:write",
  audit: "app.created",
  args: ["name"],
  run: async ({ input, actor }, { apps }) => new Reply(201, await apps.create(input.name, actor.name)),
});

export const info = operation({
  verb: "apps:info",
  method: "GET",
  path: "/apps/:app",
  summary: "One app: state, address, release, settings",
  input: t.Object({ app: AppRef }),
  output: App,
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { apps }) => apps.get(input.app),
});

export const set = operation({
  verb: "apps:set",
  method: "PATCH",
  path: "/apps/:app",
  summary:
    "Change health, limits, balance, sleep, build or strategy; a new release follows where it needs one",
  input: t.Object({
    app: AppRef,
    port: t.Optional(EnvironmentSettings.properties.port),
    health: t.Optional(t.Partial(Health)),
    limits: t.Optional(t.Partial(Limits)),
    build: t.Optional(t.Partial(Build)),
    static: t.Optional(t.Partial(StaticSettings)),
    hooks: t.Optional(t.Partial(Hooks)),
    hook_timeout_s: t.Optional(EnvironmentSettings.properties.hook_timeout_s),
    pull_policy: t.Optional(EnvironmentSettings.properties.pull_policy),
    strategy: t.Optional(EnvironmentSettings.properties.strategy),
    drain_s: t.Optional(EnvironmentSettings.properties.drain_s),
    stop_grace_s: t.Optional(EnvironmentSettings.properties.stop_grace_s),
    build_timeout_s: t.Optional(EnvironmentSettings.properties.build_timeout_s),
    max_body_bytes: t.Optional(EnvironmentSettings.properties.max_body_bytes),
    balance: t.Optional(EnvironmentSettings.properties.balance),
    sticky: t.Optional(EnvironmentSettings.properties.sticky),
    access_log: t.Optional(EnvironmentSettings.properties.access_log),
    idle_timeout_s: t.Optional(EnvironmentSettings.properties.idle_timeout_s),
    wake_deadline_s: t.Optional(EnvironmentSettings.properties.wake_deadline_s),
    watch_paths: t.Optional(EnvironmentSettings.properties.watch_paths),
    ignore_paths: t.Optional(EnvironmentSettings.properties.ignore_paths),
    path_filter: t.Optional(EnvironmentSettings.properties.path_filter),
  }),
  output: App,
  permission: "apps:write",
  audit: "app.settings_changed",
  args: ["app"],
  example: "diplo apps:set -a blog --health.path /up --limits.memory 1g",
  run: ({ input: { app, ...changes }, actor }, { apps }) => apps.change(app, changes, actor.name),
});

export const destroy = operation({
  verb: "apps:destroy",
  method: "DELETE",
  path: "/apps/:app",
  summary: "Remove an app: instances, releases, images, network. Volumes stay unless asked for",
  input: t.Object({
    app: AppRef,
    confirm: t.Optional(t.String({ description: "The app's name again" })),
    destroy_data: t.Optional(t.Boolean({ description: "Remove its volumes too" })),
  }),
  output: t.Object({ job_id: t.String(), kept_volumes: t.Array(t.String()) }),
  permission: "apps:write",
  audit: "app.destroyed",
  args: ["app"],
  run: async ({ input, actor }, { apps }) => new Reply(202, apps.destroy(input, actor.name)),
});

export const health = operation({
  verb: "apps:health",
  method: "GET",
  path: "/apps/:app/health",
  summary: "Asks every web instance now",
  input: t.Object({ app: AppRef }),
  output: t.Object({
    healthy: t.Boolean(),
    status: t.String(),
    app_status: AppStatus,
    message: t.String(),
    instances: t.Array(
      t.Object({
        id: t.String(),
        process: t.String(),
        healthy: t.Boolean(),
        http_status_code: t.Union([t.Integer(), t.Null()]),
        response_time_ms: t.Union([t.Number(), t.Null()]),
        message: t.String(),
      }),
    ),
  }),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { instances }) => instances.health(input.app),
});
