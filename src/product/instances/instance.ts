import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** A running container of a process, or a site served as one, as the API shows it. */
export const Instance = t.Object({
  id: t.String(),
  name: t.String(),
  process: t.String(),
  slot: t.Integer(),
  release: t.Integer(),
  status: t.Union([
    t.Literal("starting"),
    t.Literal("running"),
    t.Literal("unhealthy"),
    t.Literal("stopping"),
    t.Literal("sleeping"),
    t.Literal("stopped"),
    t.Literal("crashed"),
  ]),
  routed: t.Boolean(),
  /** `proxy`: files that Diplo serves itself, without a container. */
  served_by: t.Union([t.Literal("container"), t.Literal("proxy")]),
  address: t.Union([t.String(), t.Null()]),
  restarts: t.Integer(),
  last_exit: t.Union([t.Object({ exit_code: t.Integer(), oom_killed: t.Boolean(), at: Time }), t.Null()]),
  created_at: Time,
});
export type Instance = Static<typeof Instance>;
