import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { AppRef, Page } from "../schema.ts";
import { Deployed, Unchanged } from "./deploy-answer.ts";
import { DeployInput, IfChanged, Wait } from "./deploy-input.ts";
import { Deployment } from "./deployment.ts";

export const deploy = operation({
  verb: "deploy",
  method: "POST",
  path: "/deploy",
  summary: "From a git URL (or an uploaded directory) to a running app",
  input: DeployInput,
  output: t.Union([Deployed, Deployment, Unchanged]),
  permission: "deploy",
  audit: "app.deployed",
  private: ["env_vars", "github_token", "credential"],
  args: ["repo_url"],
  example: "diplo deploy https://github.com/you/app --branch main --env KEY=value",
  run: ({ input, actor, signal }, { deployments }) => deployments.deploy(input, actor.name, signal),
});

export const again = operation({
  verb: "deploy:again",
  method: "POST",
  path: "/apps/:app/deployments",
  summary: "Deploy the app's own source again",
  input: t.Object({
    app: AppRef,
    branch: t.Optional(t.String({ description: "From this branch from now on" })),
    tag: t.Optional(t.String({ description: "From this tag" })),
    commit: t.Optional(t.String({ description: "From this commit, at least 7 digits of it" })),
    upload_id: t.Optional(t.String({ description: "What POST /apps/{app}/uploads answered" })),
    clear_cache: t.Optional(t.Boolean({ description: "Build everything anew" })),
    if_changed: IfChanged,
    wait: Wait,
  }),
  output: t.Union([Deployed, Deployment, Unchanged]),
  permission: "deploy",
  audit: "app.deployed",
  args: ["app"],
  run: ({ input, actor, signal }, { deployments }) => deployments.again(input, actor.name, signal),
});

export const list = operation({
  verb: "deployments",
  method: "GET",
  path: "/deployments",
  summary: "Deployments of all apps, newest first",
  input: t.Object({
    status: t.Optional(t.String({ description: "Only those of this state, as in failed" })),
    ...Page,
  }),
  output: t.Array(Deployment),
  permission: "apps:read",
  run: ({ input }, { deployments }) => deployments.list(input),
});

export const listOfApp = operation({
  verb: "apps:deployments",
  method: "GET",
  path: "/apps/:app/deployments",
  summary: "Deployments of one app, newest first",
  input: t.Object({
    app: AppRef,
    ...Page,
  }),
  output: t.Array(Deployment),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { deployments }) => deployments.list(input),
});

export const info = operation({
  verb: "deployments:info",
  method: "GET",
  path: "/deployments/:deployment",
  summary: "One deployment: steps, release, error",
  input: t.Object({ deployment: t.String() }),
  output: Deployment,
  permission: "apps:read",
  args: ["deployment"],
  run: ({ input }, { deployments }) => deployments.get(input.deployment),
});

export const cancel = operation({
  verb: "deploy:cancel",
  method: "POST",
  path: "/deployments/:deployment/cancel",
  summary: "Stop a deployment; the old release goes on serving",
  input: t.Object({
    deployment: t.String(),
    reason: t.Optional(t.String({ maxLength: 500, description: "Why, for the log" })),
  }),
  output: Deployment,
  permission: "deploy",
  audit: "deployment.cancelled",
  args: ["deployment"],
  run: ({ input, actor }, { deployments }) =>
    deployments.cancel(input.deployment, input.reason ?? "", actor.name),
});

export const retry = operation({
  verb: "deploy:retry",
  method: "POST",
  path: "/deployments/:deployment/retry",
  summary: "The same attempt once more, as a new deployment",
  input: t.Object({ deployment: t.String(), wait: Wait }),
  output: t.Union([Deployed, Deployment]),
  permission: "deploy",
  audit: "app.deployed",
  args: ["deployment"],
  run: ({ input, actor, signal }, { deployments }) => deployments.retry(input, actor.name, signal),
});
