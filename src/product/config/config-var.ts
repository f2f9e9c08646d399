import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** A config variable as the API shows it. */
export const ConfigVar = t.Object({
  name: t.String(),
  /** null when masked. */
  value: t.Union([t.String(), t.Null()]),
  secret: t.Boolean(),
  version: t.Integer(),
  updated_at: Time,
  updated_by: t.String(),
});
export type ConfigVar = Static<typeof ConfigVar>;
