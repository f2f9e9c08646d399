import { Type as t } from "@sinclair/typebox";
import { invalid } from "../errors.ts";
import type { AppLogLine, LogOptions } from "./instances/merge-logs.ts";
import type { Parts } from "./parts.ts";

/** `app`: what instances write; `router`: what the proxy writes down of requests (capabilities O3). */
export const LogSource = t.Union([t.Literal("app"), t.Literal("router")]);
export type LogSource = "app" | "router";

/** Throws `invalid` for what does not go together, before any stream begins. */
export function checkFilters(source: LogSource, options: LogOptions): void {
  const { since } = options;
  if (since !== undefined && !(/^\d{4}-\d\d-\d\d/.test(since) && Number.isFinite(Date.parse(since))))
    throw invalid("since", "is no time", "As in 2026-01-31T12:00:00Z.");
  if (source === "app") return;
  for (const filter of ["process", "instance"] as const)
    if (options[filter] !== undefined)
      throw invalid(filter, "is a filter of what instances write", "Leave it out with source=router.");
}

/** The lines of an app from that source, the past and with `follow` what comes. */
export function linesFrom(
  source: LogSource,
  { instances, routes }: Pick<Parts, "instances" | "routes">,
  app: string,
  options: LogOptions,
): AsyncIterable<AppLogLine> {
  return source === "app" ? instances.logs(app, options) : routes.accessLog(app, options);
}
