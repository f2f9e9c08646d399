import { type Static, Type as t } from "@sinclair/typebox";
import { CredentialInput } from "../sources/credential-input.ts";

const EnvVars = t.Array(t.Object({ name: t.String(), value: t.String() }), {
  description: "Merged into the config for good",
});

export const Wait = t.Optional(t.Boolean({ description: "false: answer 202 at once", default: true }));

export const IfChanged = t.Optional(
  t.Boolean({
    description: "Only when the repository changed since the live release, by the app's watch_paths",
  }),
);

/** What `POST /deploy` takes (design.md §7). */
export const DeployInput = t.Object({
  repo_url: t.Optional(t.String({ minLength: 1, maxLength: 2048 })),
  upload_id: t.Optional(
    t.String({ description: "What POST /apps/{app}/uploads answered, instead of repo_url" }),
  ),
  image: t.Optional(
    t.String({
      minLength: 1,
      maxLength: 500,
      description: "A prebuilt image instead, e.g. ghcr.io/you/app:1.2",
    }),
  ),
  name: t.Optional(t.String({ description: "Default: the repository's or the image's name" })),
  branch: t.Optional(t.String({ description: "Default: the repository's own" })),
  tag: t.Optional(t.String({ description: "Deploy this tag" })),
  commit: t.Optional(t.String({ description: "Deploy this commit, at least 7 digits of it" })),
  subdirectory: t.Optional(t.String({ description: "Where the app lies in the repository" })),
  port: t.Optional(t.Integer({ minimum: 1, maximum: 65535, description: "PORT in the container" })),
  health_path: t.Optional(t.String({ description: "Asked until it answers below 500; default /" })),
  runtime_type: t.Optional(t.String({ description: "The engine to run on, e.g. docker" })),
  env_vars: t.Optional(EnvVars),
  github_token: t.Optional(
    t.String({ description: "A token that may read the repository; kept sealed", writeOnly: true }),
  ),
  credential: t.Optional(CredentialInput),
  replace_source: t.Optional(
    t.Boolean({ description: "The app has another source: take this one from now on" }),
  ),
  clear_cache: t.Optional(t.Boolean({ description: "Build everything anew" })),
  if_changed: IfChanged,
  wait: Wait,
});
export type DeployInput = Static<typeof DeployInput>;
