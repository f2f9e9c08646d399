import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { AppRef } from "../schema.ts";
import { Instance } from "./instance.ts";

const Formation = t.Array(
  t.Object({
    process: t.String(),
    served_by: t.Union([t.Literal("container"), t.Literal("proxy")]),
    quantity: t.Integer(),
    command: t.Union([t.Array(t.String()), t.Null()]),
    from: t.String(),
  }),
);

export const list = operation({
  verb: "ps",
  method: "GET",
  path: "/apps/:app/instances",
  summary: "Running instances by process",
  input: t.Object({ app: AppRef }),
  output: t.Array(Instance),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { instances }) => instances.list(input.app),
});

export const formation = operation({
  verb: "ps:formation",
  method: "GET",
  path: "/apps/:app/formation",
  summary: "Processes, their commands and how many are wanted",
  input: t.Object({ app: AppRef }),
  output: Formation,
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { instances }) => instances.formation(input.app),
});

export const scale = operation({
  verb: "ps:scale",
  method: "PATCH",
  path: "/apps/:app/formation",
  summary: "How many instances of each process",
  input: t.Object({
    app: AppRef,
    quantities: t.Record(t.String(), t.Integer({ minimum: 0, maximum: 100 })),
  }),
  bodyAs: "quantities",
  output: t.Object({ formation: Formation, deployment_id: t.Union([t.String(), t.Null()]) }),
  permission: "apps:write",
  audit: "app.scaled",
  example: "diplo ps:scale -a blog web=3 worker=1",
  run: ({ input, actor }, { instances }) => instances.scale(input.app, input.quantities, actor.name),
});

const Started = t.Object({ deployment_id: t.Union([t.String(), t.Null()]) });

export const restart = operation({
  verb: "ps:restart",
  method: "POST",
  path: "/apps/:app/restart",
  summary: "Replace every instance by a fresh one of the same release, without a gap",
  input: t.Object({ app: AppRef }),
  output: Started,
  permission: "apps:write",
  audit: "app.restarted",
  args: ["app"],
  run: ({ input, actor }, { instances }) => instances.restart(input.app, actor.name),
});

export const stop = operation({
  verb: "ps:stop",
  method: "POST",
  path: "/apps/:app/stop",
  summary: "Stop the app; address, config and data stay",
  input: t.Object({ app: AppRef }),
  output: Started,
  permission: "apps:write",
  audit: "app.stopped",
  args: ["app"],
  run: ({ input, actor }, { instances }) => instances.stop(input.app, actor.name),
});

export const start = operation({
  verb: "ps:start",
  method: "POST",
  path: "/apps/:app/start",
  summary: "Start a stopped app again",
  input: t.Object({ app: AppRef }),
  output: Started,
  permission: "apps:write",
  audit: "app.started",
  args: ["app"],
  run: ({ input, actor }, { instances }) => instances.start(input.app, actor.name),
});
