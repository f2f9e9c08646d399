import { type Config, type Flags, readConfig } from "../config.ts";
import { DiploError } from "../errors.ts";
import { BoxError } from "./box-error.ts";
import { CliContext } from "./cli-context.ts";
import type { CliIo } from "./cli-io.ts";
import { coloured, type Paint, plain } from "./colour.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { findVerb } from "./find-verb.ts";
import { overview, verbHelp } from "./help.ts";
import { type Arguments, parseArguments } from "./parse-arguments.ts";
import { processIo } from "./process-io.ts";
import { safe } from "./table.ts";
import type { Verb } from "./verb.ts";
import { allVerbs } from "./verbs.ts";

/** What a test replaces. */
export interface CliOptions {
  verbs?: readonly Verb[];
  config?: (flags: Flags) => Config;
}

/** Does what the command line says (without the program's name) and answers the exit code; never throws. */
export async function runCli(
  argv: readonly string[],
  io: CliIo = processIo(),
  options: CliOptions = {},
): Promise<number> {
  const verbs = options.verbs ?? allVerbs();
  const readSettings = options.config ?? readConfig;
  let asked: Asked = { json: argv.includes("--json"), verb: undefined, meant: undefined, paint: plain };
  try {
    if (io.terminal.err && !readSettings({}).client.plain) asked.paint = coloured;
    if (argv.length === 0 || /^(help|-h|--help)$/.test(argv[0]!)) return help(verbs, argv.slice(1), io);
    const { verb, rest, meant } = findVerb(verbs, /^(-V|--version)$/.test(argv[0]!) ? ["version"] : argv);
    asked = { ...asked, verb, meant };
    const given = parseArguments(rest, verb.flags, { passThrough: verb.passThrough });
    asked.json = given.flags.get("json") === true;
    if (given.flags.get("help")) return help(verbs, [verb.name], io);
    return await verb.run(given, contextOf(given, asked.json, io, readSettings));
  } catch (error) {
    return complain(error, asked, io);
  }
}

interface Asked {
  json: boolean;
  verb: Verb | undefined;
  /** What was meant if the verb's first argument is none. */
  meant: string | undefined;
  paint: Paint;
}

function contextOf(given: Arguments, json: boolean, io: CliIo, config: (flags: Flags) => Config): CliContext {
  const data = given.flags.get("data");
  const app = given.flags.get("app");
  const settings = config(typeof data === "string" ? { data } : {});
  return new CliContext({ io, config: settings, json, app: typeof app === "string" ? app : undefined });
}

function help(verbs: readonly Verb[], words: readonly string[], io: CliIo): number {
  io.out(words.length === 0 ? overview(verbs) : verbHelp(findVerb(verbs, words).verb));
  return EXIT.ok;
}

function complain(error: unknown, { json, verb, meant, paint }: Asked, io: CliIo): number {
  if (json && error instanceof BoxError) io.out(`${JSON.stringify(error.problem, null, 2)}\n`);
  if (!(error instanceof DiploError)) {
    io.err(`diplo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.failed;
  }
  io.err(`${paint("red", "diplo:")} ${safe(error.detail)}\n`);
  for (const { field, message } of error.fields)
    if (!error.detail.includes(message)) io.err(`  ${safe(`${field}: ${message}`)}\n`);
  for (const line of error.evidence) io.err(`  │ ${safe(line)}\n`);
  if (error.hint) io.err(`${safe(error.hint)}\n`);
  const code = exitCodeOf(error);
  if (code === EXIT.usage && meant && !error.hint) io.err(`Did you mean: diplo ${meant}\n`);
  if (code === EXIT.usage && verb) io.err(`diplo ${verb.name} --help tells how it is written.\n`);
  return code;
}
