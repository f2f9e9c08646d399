import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** A volume and where it is mounted, as the API shows it. */
export const Volume = t.Object({
  name: t.String(),
  mount_path: t.String(),
  process: t.String(),
  read_only: t.Boolean(),
  engine_name: t.String(),
  created_at: Time,
});
export type Volume = Static<typeof Volume>;
