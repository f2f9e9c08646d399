import { type Static, Type as t } from "@sinclair/typebox";

const EnvVars = t.Array(t.Object({ name: t.String(), value: t.String() }), {
  description: "Merged into the config for good",
});

export const Wait = t.Optional(t.Boolean({ description: "false: answer 202 at once", default: true }));

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

/** What `POST /deploy` takes (design.md §7). */
export const DeployInput = t.Object({
  repo_url: t.Optional(t.String({ minLength: 1, maxLength: 2048 })),
  upload_id: t.Optional(t.String({ description: "What POST /uploads answered, instead of repo_url" })),
  name: t.Optional(t.String({ description: "Default: the repository's name" })),
  branch: t.Optional(t.String()),
  tag: t.Optional(t.String()),
  commit: t.Optional(t.String()),
  subdirectory: t.Optional(t.String()),
  port: t.Optional(t.Integer({ minimum: 1, maximum: 65535, description: "PORT in the container" })),
  health_path: t.Optional(t.String()),
  runtime_type: t.Optional(t.String()),
  env_vars: t.Optional(EnvVars),
  github_token: t.Optional(t.String()),
  replace_source: t.Optional(t.Boolean()),
  clear_cache: t.Optional(t.Boolean()),
  wait: Wait,
});
export type DeployInput = Static<typeof DeployInput>;
