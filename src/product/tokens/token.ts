import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** An API token as the API shows it: never its secret. */
export const Token = t.Object({
  id: t.String(),
  name: t.String(),
  prefix: t.String(),
  permissions: t.Array(t.String()),
  created_at: Time,
  last_used_at: t.Union([Time, t.Null()]),
  expires_at: t.Union([Time, t.Null()]),
});
export type Token = Static<typeof Token>;
