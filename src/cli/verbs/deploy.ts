import type { Operation } from "../../operation.ts";
import type { App } from "../../product/apps/app.ts";
import { suggestName } from "../../product/apps/app-name.ts";
import type { Unchanged } from "../../product/deployments/deploy-answer.ts";
import { deploy as declared } from "../../product/deployments/operations.ts";
import { BoxError } from "../box-error.ts";
import type { CliContext } from "../cli-context.ts";
import { chooseSource, type DeploySource } from "../deploy-source.ts";
import type { FlagSpec } from "../flag-spec.ts";
import { APP, COMMON, flag, NO_WAIT, VERBOSE } from "../flags.ts";
import { followAnswer } from "../follow-answer.ts";
import { askConfig, type DeployRequest, lookFirst } from "../look-first.ts";
import { inputOf } from "../operation-input.ts";
import { pathSegment } from "../operation-request.ts";
import { ownFlags } from "../operation-verb.ts";
import type { Arguments } from "../parse-arguments.ts";
import { sendArchive, sendDirectory } from "../send-directory.ts";
import { UsageError } from "../usage-error.ts";
import { resolvedPairs, secretFrom } from "../value-source.ts";
import type { Verb } from "../verb.ts";
import { view } from "../views/view.ts";

const operation = declared as unknown as Operation;

/** Shorter names of fields that people type often. */
const RENAMED: Record<string, string> = { "env-vars": "env", "runtime-type": "runtime" };
/** What the positional says, and what has a flag of its own below. */
const LEFT_OUT = /^(repo-url|upload-id|credential\..*)$/;

const SECRET: Partial<FlagSpec> = { placeholder: "-|@FILE" };
const OWN_FLAGS = [
  flag("token", "text", "the same as --github-token: any host's", SECRET),
  flag("username", "text", "instead of a token, with --password"),
  flag("password", "text", "kept sealed too", SECRET),
  flag("yes", "boolean", "ask nothing: no look at the repository before its first deployment", {
    short: "y",
  }),
];

export const deploy: Verb = {
  name: "deploy",
  summary: operation.summary.replace(" (or an uploaded directory)", ", a directory or an archive"),
  usage: "<git-url|dir|archive>",
  notes:
    "A directory is sent as it is, without what .gitignore and .dockerignore name.\n" +
    "Before a first deployment a terminal shows what was found and asks for the config it needs.\n" +
    "Ctrl-C leaves the deployment going; pressed twice it cancels it.",
  example: operation.example,
  flags: [
    ...ownFlags(operation)
      .filter(({ name }) => !LEFT_OUT.test(name))
      .map((spec) => ({ ...spec, name: RENAMED[spec.name] ?? spec.name })),
    ...OWN_FLAGS,
    { ...APP, help: "the same as --name" },
    NO_WAIT,
    VERBOSE,
    ...COMMON,
  ].map((spec) =>
    spec.name === "env" ? flag("env", "pairs", spec.help, { short: "e", path: spec.path }) : spec,
  ),
  run: async (given, context) => {
    const request = await deployInput(given, context);
    const source = sourceOf(given, request, context);
    const questions = given.flags.get("yes") === true || context.json ? null : context;
    if (source?.kind === "git") request.repo_url = source.url;
    if (source?.kind === "directory" || source?.kind === "archive") {
      await sendFiles(source, request, given, context, questions);
    } else if (questions && request.repo_url !== undefined) {
      const name = request.name ?? suggestName(request.repo_url);
      if (await isFirst(name, questions)) await lookFirst(request, name, questions);
    }
    return start(request, given, context);
  },
};

/** null where a flag says what to deploy. */
function sourceOf(
  { positionals }: Arguments,
  request: DeployRequest,
  { io }: CliContext,
): DeploySource | null {
  const [place, more] = positionals;
  if (more) throw new UsageError(`"${more}" is one argument too many`);
  if (place) return chooseSource(place, io.directory);
  if (request.image !== undefined) return null;
  throw new UsageError("wants a git URL or a directory", "diplo deploy . sends this directory.");
}

async function sendFiles(
  source: Exclude<DeploySource, { kind: "git" }>,
  request: DeployRequest,
  given: Arguments,
  context: CliContext,
  questions: CliContext | null,
): Promise<void> {
  const place = source.kind === "archive" ? source.file : source.directory;
  refuseRevision(given, place, source.kind);
  const name = request.name ?? source.name;
  request.name = name;
  const first = questions !== null && (await isFirst(name, questions));
  const sent = await (source.kind === "archive"
    ? sendArchive(source.file, name, context)
    : sendDirectory(source.directory, name, context));
  request.upload_id = sent.upload_id;
  if (first && sent.detected) await askConfig(request, sent.detected, context);
}

/** Nothing of it ever served, and somebody is there to ask. */
async function isFirst(name: string, { io, box }: CliContext): Promise<boolean> {
  if (!io.terminal.in || !io.terminal.err) return false;
  try {
    const app = await box.json<App>({ method: "GET", path: `/apps/${pathSegment(name)}` });
    return app.release === null;
  } catch (error) {
    if (error instanceof BoxError && error.status === 404) return true;
    // Whoever may deploy and not read: the deployment itself says what is wrong.
    if (error instanceof BoxError && error.status === 403) return false;
    throw error;
  }
}

/** What lies here is sent as it lies: a branch asked for would be quietly ignored. */
function refuseRevision({ flags }: Arguments, place: string, kind: string): void {
  const asked = ["branch", "tag", "commit", "if-changed"].find((name) => flags.has(name));
  if (asked === undefined) return;
  throw new UsageError(
    `--${asked} is for a git URL; a${kind === "archive" ? "n" : ""} ${kind} is sent as it is`,
    `Check it out there first, or, where it is a git repository on the box: diplo deploy file://${place} --${asked} …`,
  );
}

/** The API's input, without the source. */
async function deployInput({ flags }: Arguments, context: CliContext): Promise<DeployRequest> {
  const known = new Map(flags);
  const env = known.get("env");
  if (Array.isArray(env)) known.set("env-vars", await resolvedPairs(env, context.io));
  const runtime = known.get("runtime");
  if (runtime !== undefined) known.set("runtime-type", runtime);
  known.set("name", known.get("name") ?? known.get("app") ?? context.config.client.app ?? null);
  if (known.get("name") === null) known.delete("name");
  known.delete("wait");
  const input = await inputOf(operation, { flags: known, positionals: [], rest: [] }, context);
  return { ...input, ...(await credentialOf(flags, context)) };
}

async function credentialOf(flags: Arguments["flags"], { io }: CliContext): Promise<DeployRequest> {
  const [token, username, password] = ["token", "username", "password"].map((name) => flags.get(name));
  const given: DeployRequest = {};
  if (typeof token === "string") given.github_token = await secretFrom("--token", token, io);
  if (typeof username === "string" || typeof password === "string")
    given.credential = {
      ...(typeof username === "string" && { username }),
      ...(typeof password === "string" && { password: await secretFrom("--password", password, io) }),
    };
  return given;
}

async function start(request: DeployRequest, { flags }: Arguments, context: CliContext): Promise<number> {
  const wait = flags.get("wait") !== false;
  const json = { ...request, wait: wait && context.json };
  const answer = await context.box.json<{ id: string } | Unchanged>({
    method: "POST",
    path: "/deploy",
    json,
  });
  if (context.json) context.printJson(answer);
  else if ("changed" in answer) context.io.out(view("deploy:again", answer, context));
  else if (!wait) context.io.out(`${answer.id}\n`);
  return wait && !context.json ? followAnswer(answer, context, flags.get("verbose") === true) : 0;
}
