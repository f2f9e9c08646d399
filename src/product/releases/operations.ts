import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { Deployed } from "../deployments/deploy-answer.ts";
import { Deployment } from "../deployments/deployment.ts";
import { AppRef } from "../schema.ts";
import { AppPlan, appPlan } from "./app-plan.ts";
import { Release } from "./release.ts";

export const list = operation({
  verb: "releases",
  method: "GET",
  path: "/apps/:app/releases",
  summary: "Releases, newest first",
  input: t.Object({ app: AppRef }),
  output: t.Array(Release),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { releases }) => releases.list(input.app),
});

export const info = operation({
  verb: "releases:info",
  method: "GET",
  path: "/apps/:app/releases/:release",
  summary: "One release",
  input: t.Object({ app: AppRef, release: t.Integer({ minimum: 1 }) }),
  output: Release,
  permission: "apps:read",
  args: ["app", "release"],
  run: ({ input }, { releases }) => releases.get(input.app, input.release),
});

export const plan = operation({
  verb: "plan",
  method: "GET",
  path: "/apps/:app/plan",
  summary: "How what serves was built: each choice with where it came from, and the Dockerfile",
  input: t.Object({ app: AppRef }),
  output: AppPlan,
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, parts) => appPlan(input.app, parts),
});

export const rollback = operation({
  verb: "rollback",
  method: "POST",
  path: "/apps/:app/rollback",
  summary: "Make an old release live again, with the config and settings it had (default: the one before)",
  input: t.Object({
    app: AppRef,
    release: t.Optional(t.Integer({ minimum: 1, description: "Default: the last one that was live before" })),
    deployment_id: t.Optional(t.String({ description: "The release that this deployment made" })),
    reason: t.Optional(t.String({ maxLength: 500, description: "Why, for the log" })),
    wait: t.Optional(t.Boolean({ default: true })),
  }),
  output: t.Union([Deployed, Deployment]),
  permission: "deploy",
  audit: "app.rolled_back",
  args: ["app", "release"],
  example: "diplo rollback v3 -a blog",
  run: ({ input, actor, signal }, { deployments }) => deployments.rollback(input, actor.name, signal),
});
