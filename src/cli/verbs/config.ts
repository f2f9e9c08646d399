import type { Operation } from "../../operation.ts";
import { set } from "../../product/config/operations.ts";
import type { CliContext } from "../cli-context.ts";
import { APP, COMMON, NO_WAIT, VERBOSE } from "../flags.ts";
import { followAnswer } from "../follow-answer.ts";
import { pathSegment } from "../operation-request.ts";
import { operationVerb } from "../operation-verb.ts";
import type { Arguments } from "../parse-arguments.ts";
import { UsageError } from "../usage-error.ts";
import { resolvedPairs, valueFrom } from "../value-source.ts";
import type { Verb } from "../verb.ts";
import { view } from "../views/view.ts";

const FLAGS = [APP, NO_WAIT, VERBOSE, ...COMMON];
const setAsDeclared = operationVerb(set as unknown as Operation);

export const configSet: Verb = {
  ...setAsDeclared,
  usage: "NAME=value…",
  notes:
    "NAME=@file takes a file's content, NAME=- takes stdin (asked for on a terminal): both byte for byte.",
  run: async (given, context) =>
    setAsDeclared.run({ ...given, positionals: await resolvedPairs(given.positionals, context.io) }, context),
};

export const configUnset: Verb = {
  name: "config:unset",
  summary: "Remove config; one new release for all of it",
  usage: "NAME…",
  flags: FLAGS,
  example: "diplo config:unset -a blog DEBUG OLD_KEY",
  run: async (given, context) => {
    if (given.positionals.length === 0) throw new UsageError("which one? Give at least one NAME");
    const vars = Object.fromEntries(given.positionals.map((name) => [name, null]));
    return change("config:unset", "PATCH", "env", vars, given, context);
  },
};

export const configImport: Verb = {
  name: "config:import",
  summary: "Replace the whole config by a dotenv file",
  usage: "<file|->",
  flags: FLAGS,
  example: "diplo config:import -a blog .env.production",
  run: async (given, context) => {
    const [file, more] = given.positionals;
    if (!file || more) throw new UsageError("wants one file, or - for stdin");
    const dotenv = await valueFrom("dotenv", file === "-" ? "-" : `@${file}`, context.io);
    return change("config:import", "PUT", "env/file", { dotenv }, given, context);
  },
};

async function change(
  verb: string,
  method: string,
  path: string,
  json: unknown,
  { flags }: Arguments,
  context: CliContext,
): Promise<number> {
  const app = pathSegment(await context.app());
  const answer = await context.box.json({ method, path: `/apps/${app}/${path}`, json });
  if (context.json) {
    context.printJson(answer);
    return 0;
  }
  context.io.out(view(verb, answer, context));
  return flags.get("wait") === false ? 0 : followAnswer(answer, context, flags.get("verbose") === true);
}
