import { type Static, Type as t } from "@sinclair/typebox";
import { EnvironmentSettings } from "../environments/settings.ts";
import { ErrorBody, Time } from "../schema.ts";
import { SourceBody } from "../sources/source-body.ts";

/** Status of an app as a whole (capabilities C3). */
export const AppStatus = t.Union([
  t.Literal("idle"),
  t.Literal("deploying"),
  t.Literal("redeploying"),
  t.Literal("running"),
  t.Literal("degraded"),
  t.Literal("sleeping"),
  t.Literal("stopped"),
  t.Literal("error"),
  t.Literal("destroying"),
]);
export type AppStatus = Static<typeof AppStatus>;

/** An environment of an app as the API shows it. */
export const App = t.Object({
  id: t.String(),
  name: t.String(),
  environment: t.String(),
  status: AppStatus,
  /** First address a person should try; on the LAN's name. */
  url: t.String(),
  /** Every address, host names first, then the app's own port. */
  urls: t.Array(t.String()),
  port: t.Integer(),
  source: t.Union([SourceBody, t.Null()]),
  release: t.Union([t.Integer(), t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  commit_message: t.Union([t.String(), t.Null()]),
  deployed_at: t.Union([Time, t.Null()]),
  deployed_by: t.Union([t.String(), t.Null()]),
  /** The deployment now under way. */
  deployment_id: t.Union([t.String(), t.Null()]),
  /** Why the last deployment failed; null once a later one is live. */
  error: t.Union([ErrorBody, t.Null()]),
  instances: t.Object({ wanted: t.Integer(), running: t.Integer() }),
  runtime_type: t.String(),
  settings: EnvironmentSettings,
  created_at: Time,
});
export type App = Static<typeof App>;
