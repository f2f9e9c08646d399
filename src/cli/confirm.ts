import type { Operation } from "../operation.ts";
import type { CliIo } from "./cli-io.ts";
import type { Input } from "./operation-input.ts";
import { UsageError } from "./usage-error.ts";

/** Danger asks by typing the name. Without a terminal to ask on, --confirm must say it. Throws UsageError. */
export async function confirmed({ verb, path }: Operation, input: Input, io: CliIo): Promise<string> {
  const subject = /:(\w+)$/.exec(path)?.[1] ?? "app";
  const name = String(input[subject]);
  if (!io.terminal.in || !io.terminal.err)
    throw new UsageError(`this cannot be undone: ${verb} wants --confirm ${name}`);
  const typed = await io.ask(`This cannot be undone. Type ${name} to go on: `);
  if (typed.trim() !== name) throw new UsageError(`that was not "${name}": nothing was changed`);
  return name;
}
