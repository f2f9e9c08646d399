import type { Operation } from "../../operation.ts";
import { deploy as declared } from "../../product/deployments/operations.ts";
import type { CliContext } from "../cli-context.ts";
import { chooseSource } from "../deploy-source.ts";
import { APP, COMMON, flag, NO_WAIT, VERBOSE } from "../flags.ts";
import { followAnswer } from "../follow-answer.ts";
import { inputOf } from "../operation-input.ts";
import { ownFlags } from "../operation-verb.ts";
import type { Arguments } from "../parse-arguments.ts";
import { sendDirectory } from "../send-directory.ts";
import { UsageError } from "../usage-error.ts";
import { resolvedPairs } from "../value-source.ts";
import type { Verb } from "../verb.ts";

const operation = declared as unknown as Operation;

/** Shorter names of fields that people type often. */
const RENAMED: Record<string, string> = { "env-vars": "env", "runtime-type": "runtime" };
const LEFT_OUT = new Set(["repo-url", "upload-id"]);

export const deploy: Verb = {
  name: "deploy",
  summary: operation.summary.replace(" (or an uploaded directory)", " or a directory"),
  usage: "<git-url|dir> | --image NAME",
  notes:
    "A directory is sent as it is, without what .gitignore and .dockerignore name.\n" +
    "Ctrl-C leaves the deployment going; pressed twice it cancels it.",
  example: operation.example,
  flags: [
    ...ownFlags(operation)
      .filter(({ name }) => !LEFT_OUT.has(name))
      .map((spec) => ({ ...spec, name: RENAMED[spec.name] ?? spec.name })),
    { ...APP, help: "the same as --name" },
    NO_WAIT,
    VERBOSE,
    ...COMMON,
  ].map((spec) =>
    spec.name === "env" ? flag("env", "pairs", spec.help, { short: "e", path: spec.path }) : spec,
  ),
  run: async (given, context) => {
    const [place, more] = given.positionals;
    if (given.flags.has("image")) {
      if (place) throw new UsageError("wants an image or a place to build from, not both");
      return start(await deployInput(given, context), given, context);
    }
    if (!place)
      throw new UsageError("wants a git URL or a directory", "diplo deploy . sends this directory.");
    if (more) throw new UsageError(`"${more}" is one argument too many`);
    const input = await deployInput(given, context);
    const source = chooseSource(place, context.io.directory);
    if (source.kind === "git") input.repo_url = source.url;
    else {
      refuseRevision(given, source.directory);
      input.upload_id = await sendDirectory(source.directory, context);
      input.name ??= source.name;
    }
    return start(input, given, context);
  },
};

/** A directory is sent as it lies there: a branch asked for would be quietly ignored. */
function refuseRevision({ flags }: Arguments, directory: string): void {
  const asked = ["branch", "tag", "commit"].find((name) => flags.has(name));
  if (asked === undefined) return;
  throw new UsageError(
    `--${asked} is for a git URL; a directory is sent as it is`,
    `Check it out there first, or, where it is a git repository on the box: diplo deploy file://${directory} --${asked} …`,
  );
}

/** The API's input, without the source. */
async function deployInput({ flags }: Arguments, context: CliContext): Promise<Record<string, unknown>> {
  const known = new Map(flags);
  const env = known.get("env");
  if (Array.isArray(env)) known.set("env-vars", await resolvedPairs(env, context.io));
  const runtime = known.get("runtime");
  if (runtime !== undefined) known.set("runtime-type", runtime);
  known.set("name", known.get("name") ?? known.get("app") ?? context.config.client.app ?? null);
  if (known.get("name") === null) known.delete("name");
  known.delete("wait");
  return inputOf(operation, { flags: known, positionals: [], rest: [] }, context);
}

async function start(
  input: Record<string, unknown>,
  { flags }: Arguments,
  context: CliContext,
): Promise<number> {
  const wait = flags.get("wait") !== false;
  const json = { ...input, wait: wait && context.json };
  const answer = await context.box.json<{ id: string }>({ method: "POST", path: "/deploy", json });
  if (context.json) context.printJson(answer);
  else if (!wait) context.io.out(`${answer.id}\n`);
  return wait && !context.json ? followAnswer(answer, context, flags.get("verbose") === true) : 0;
}
