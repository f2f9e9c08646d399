import type { CliContext } from "../cli-context.ts";
import { APP, COMMON, flag } from "../flags.ts";
import { runCommand } from "../run-command.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

export const run: Verb = {
  name: "run",
  summary: "A command in a fresh container of the app's current release",
  usage: "-- <command>…",
  notes: "The command's exit code is this one's. The container is removed when it ends.",
  passThrough: true,
  flags: [
    APP,
    flag("env", "pairs", "more environment for this command", { short: "e" }),
    flag("tty", "boolean", "no terminal, even when there is one"),
    ...COMMON.filter(({ name }) => name !== "json"),
  ],
  example: "diplo run -a blog -- node scripts/migrate.js",
  run: async ({ flags, rest }, context) => {
    if (rest.length === 0) throw new UsageError("which command? diplo run -a APP -- <command>…");
    const env = Object.fromEntries(((flags.get("env") ?? []) as string[]).map(split));
    return runCommand(
      { app: await context.app(), command: rest, env, tty: wantsTty(flags.get("tty"), context) },
      context,
    );
  },
};

const wantsTty = (asked: unknown, { io }: CliContext): boolean =>
  asked !== false && io.terminal.in && io.terminal.out;

function split(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
