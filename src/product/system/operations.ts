import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";

const Size = t.Object({ total_bytes: t.Integer(), used_bytes: t.Integer(), free_bytes: t.Integer() });

export const info = operation({
  verb: "system:info",
  method: "GET",
  path: "/system/info",
  summary: "Version, uptime, addresses",
  input: t.Object({}),
  output: t.Object({
    version: t.String(),
    box_id: t.String(),
    hostname: t.String(),
    architecture: t.String(),
    uptime_seconds: t.Integer(),
    data: t.String(),
    dashboard_urls: t.Array(t.String()),
    proxy: t.Union([
      t.Object({
        pid: t.Integer(),
        generation: t.Integer(),
        started_at: t.String(),
        connections: t.Integer(),
      }),
      t.Null(),
    ]),
    settings: t.Record(t.String(), t.String()),
  }),
  permission: "system:read",
  run: (_call, { system }) => system.info(),
});

export const stats = operation({
  verb: "system:stats",
  method: "GET",
  path: "/system/stats",
  summary: "Apps, disk, memory, load",
  input: t.Object({}),
  output: t.Object({
    apps: t.Integer(),
    running: t.Integer(),
    ports_used: t.Integer(),
    disk: Size,
    memory: Size,
    load: t.Array(t.Number()),
    cpus: t.Integer(),
    temperature_c: t.Union([t.Number(), t.Null()]),
    uptime_s: t.Integer(),
    queue: t.Integer(),
  }),
  permission: "system:read",
  run: (_call, { system }) => system.stats(),
});

export const runtimes = operation({
  verb: "runtimes",
  method: "GET",
  path: "/runtimes",
  summary: "Which engines this box has, and why one cannot be used",
  input: t.Object({}),
  output: t.Array(
    t.Object({
      type: t.String(),
      address: t.String(),
      version: t.String(),
      available: t.Boolean(),
      reason: t.Union([t.String(), t.Null()]),
      capabilities: t.Array(t.String()),
      warnings: t.Array(t.String()),
    }),
  ),
  permission: "system:read",
  run: (_call, { runtimes }) => runtimes.detect(),
});
