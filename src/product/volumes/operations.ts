import { Type as t } from "@sinclair/typebox";
import { operation, Reply } from "../../operation.ts";
import { AppRef } from "../schema.ts";
import { Volume } from "./volume.ts";

export const list = operation({
  verb: "storage",
  method: "GET",
  path: "/apps/:app/volumes",
  summary: "Volumes and where they are mounted",
  input: t.Object({ app: AppRef }),
  output: t.Array(Volume),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { volumes }) => volumes.list(input.app),
});

export const add = operation({
  verb: "storage:add",
  method: "POST",
  path: "/apps/:app/volumes",
  summary: "Keep a directory of the app over releases; a new release follows when the app runs",
  input: t.Object({
    app: AppRef,
    mount_path: t.String({ description: "Absolute path in the container" }),
    name: t.Optional(t.String({ description: "Default: made from the path" })),
    process: t.Optional(t.String({ description: "Default: every process" })),
    read_only: t.Optional(t.Boolean({ description: "The app may not write to it" })),
  }),
  output: t.Object({ volume: Volume, deployment_id: t.Union([t.String(), t.Null()]) }),
  permission: "apps:write",
  audit: "volume.added",
  args: ["mount_path"],
  example: "diplo storage:add -a blog /data",
  run: ({ input, actor }, { volumes }) => new Reply(201, volumes.add(input, actor.name)),
});

export const remove = operation({
  verb: "storage:remove",
  method: "DELETE",
  path: "/apps/:app/volumes/:name",
  summary: "Unmount a volume and destroy its data",
  input: t.Object({
    app: AppRef,
    name: t.String(),
    confirm: t.Optional(t.String({ description: "The volume's name again" })),
  }),
  output: t.Object({ deployment_id: t.Union([t.String(), t.Null()]) }),
  permission: "apps:write",
  audit: "volume.removed",
  args: ["name"],
  run: ({ input, actor }, { volumes }) => volumes.remove(input, actor.name),
});
