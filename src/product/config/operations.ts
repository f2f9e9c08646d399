import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { AppRef } from "../schema.ts";
import { ConfigVar } from "./config-var.ts";

/** What a config change led to: the deployment is null when the app has no release yet or nothing changed. */
const Changed = t.Object({
  vars: t.Array(ConfigVar),
  /** Names whose value is another now, or that are gone. */
  changed: t.Array(t.String()),
  deployment_id: t.Union([t.String(), t.Null()]),
});

export const list = operation({
  verb: "config",
  method: "GET",
  path: "/apps/:app/env",
  summary: "Config: names, and values unless masked",
  input: t.Object({
    app: AppRef,
    reveal: t.Optional(t.Boolean({ description: "Show the values of secrets too" })),
  }),
  output: t.Array(ConfigVar),
  permission: "env:read",
  audit: ({ reveal }) => (reveal ? "config.revealed" : undefined),
  args: ["app"],
  run: ({ input }, { config }) => config.list(input.app, input.reveal ?? false),
});

export const get = operation({
  verb: "config:get",
  method: "GET",
  path: "/apps/:app/env/:name",
  summary: "One value, revealed",
  input: t.Object({ app: AppRef, name: t.String() }),
  output: ConfigVar,
  permission: "env:read",
  audit: "config.revealed",
  args: ["name"],
  run: ({ input }, { config }) => config.reveal(input.app, input.name),
});

export const set = operation({
  verb: "config:set",
  method: "PATCH",
  path: "/apps/:app/env",
  summary: "Set config; one new release for all of it",
  input: t.Object({
    app: AppRef,
    vars: t.Record(t.String(), t.Union([t.String(), t.Null()])),
  }),
  bodyAs: "vars",
  output: Changed,
  permission: "env:write",
  audit: "config.changed",
  private: ["vars"],
  example: "diplo config:set -a blog KEY=value FILE=@path SECRET=-",
  run: ({ input, actor }, { config }) => config.change(input.app, input.vars, actor.name),
});

export const replace = operation({
  verb: "config:import",
  method: "PUT",
  path: "/apps/:app/env/file",
  summary: "Replace the whole config by a dotenv text",
  input: t.Object({ app: AppRef, dotenv: t.String({ maxLength: 2 * 1024 * 1024 }) }),
  output: Changed,
  permission: "env:write",
  audit: "config.changed",
  private: ["dotenv"],
  run: ({ input, actor }, { config }) => config.replace(input.app, input.dotenv, actor.name),
});
