import { type Static, Type as t } from "@sinclair/typebox";
import { Time } from "../schema.ts";

/** Credentials for a registry as the API shows them: never the password. */
export const Registry = t.Object({
  id: t.String(),
  server: t.String({ description: "Host and port; docker.io for Docker Hub" }),
  username: t.String(),
  created_by: t.String(),
  created_at: Time,
});
export type Registry = Static<typeof Registry>;
