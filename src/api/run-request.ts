import { type Static, Type as t } from "@sinclair/typebox";
import type { Actor } from "../operation.ts";
import type { Parts } from "../product/parts.ts";

const Size = t.Object({
  columns: t.Integer({ minimum: 1, maximum: 10_000 }),
  rows: t.Integer({ minimum: 1, maximum: 10_000 }),
});

/** A one-off command in the app's current release. argv, run without a shell. */
export const RunRequest = t.Object({
  command: t.Array(t.String({ maxLength: 100_000 }), { minItems: 1, maxItems: 1000 }),
  env: t.Optional(t.Record(t.String(), t.String())),
  tty: t.Optional(t.Boolean({ default: false })),
  size: t.Optional(Size),
});

/** How programs learn a terminal's size where no one can tell the terminal itself. */
export function terminalEnv({ tty, size }: Static<typeof RunRequest>): Record<string, string> {
  return tty && size ? { COLUMNS: String(size.columns), LINES: String(size.rows) } : {};
}

/** A run is audited when it begins: that it was asked for matters, however it ends. Arguments may be secrets. */
export function auditRun(parts: Parts, actor: Actor, app: string, command: string[]): void {
  parts.audit.record({
    actor,
    action: "app.command_run",
    target: app,
    detail: { program: command[0]?.slice(0, 200), arguments: command.length - 1 },
    outcome: "done",
    ip: actor.ip,
  });
}
