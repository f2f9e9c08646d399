import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** A release as the API shows it. */
export const Release = t.Object({
  version: t.Integer(),
  status: t.Union([t.Literal("current"), t.Literal("previous"), t.Literal("failed"), t.Literal("pruned")]),
  /** null = files that the proxy serves. */
  image_id: t.Union([t.String(), t.Null()]),
  /** Name of those files' directory. */
  site: t.Union([t.String(), t.Null()]),
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
