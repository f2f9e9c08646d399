import type { TSchema } from "@sinclair/typebox";
import type { Operation } from "../operation.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmed } from "./confirm.ts";
import { type FlagSpec, flagsOf } from "./flag-spec.ts";
import { APP, COMMON, NO_WAIT, VERBOSE } from "./flags.ts";
import { followAnswer } from "./follow-answer.ts";
import { inputOf } from "./operation-input.ts";
import { requestOf } from "./operation-request.ts";
import type { Arguments } from "./parse-arguments.ts";
import type { Verb } from "./verb.ts";
import { view } from "./views/view.ts";

/** The verb that an operation is: flags from its input, the request from its path, the text from its view. */
export function operationVerb(operation: Operation): Verb {
  const followed = leadsToWork(operation);
  return {
    name: operation.verb,
    summary: operation.summary,
    usage: usageOf(operation),
    flags: [...ownFlags(operation), ...(followed ? [NO_WAIT, VERBOSE] : []), ...COMMON],
    example: operation.example,
    run: (given, context) => ask(operation, given, context, followed),
  };
}

async function ask(
  operation: Operation,
  given: Arguments,
  context: CliContext,
  followed: boolean,
): Promise<number> {
  const input = await inputOf(operation, given, context);
  if ("confirm" in operation.input.properties)
    input.confirm ??= await confirmed(operation, input, context.io);
  const wait = followed && given.flags.get("wait") !== false;
  // With --json the box waits, so that its answer is the one a program would get.
  if ("wait" in operation.input.properties) input.wait = wait && context.json;
  const answer = await context.box.json<unknown>(requestOf(operation, input));
  if (context.json) {
    context.printJson(answer);
    return 0;
  }
  const text = view(operation.verb, answer, context);
  if (text) context.io.out(text);
  return wait ? followAnswer(answer, context, given.flags.get("verbose") === true) : 0;
}

/** Flags of the input, without those that positionals or the follower take care of. */
export function ownFlags(operation: Operation): FlagSpec[] {
  const hidden = new Set(["wait", ...(operation.bodyAs ? [operation.bodyAs] : [])]);
  return flagsOf(operation.input).flatMap((spec) => {
    const [key = ""] = spec.path;
    if (hidden.has(key)) return [];
    if (key === "app") return [APP];
    const secret = (spec.secret || operation.private?.includes(key)) && spec.type === "text";
    return [{ ...spec, required: false, ...(secret && { placeholder: "-|@FILE" }) }];
  });
}

/** Positionals as help shows them: `<name>` needed, `[name]` not. The app may always come from elsewhere. */
function usageOf({ args = [], input, bodyAs }: Operation): string {
  const required = new Set<string>(input.required ?? []);
  const words = args.map((name) => (required.has(name) && name !== "app" ? `<${name}>` : `[${name}]`));
  if (bodyAs) words.push("NAME=VALUE…");
  return words.join(" ").replaceAll("_", "-");
}

/** Whether an answer may name a deployment or a job that goes on after it. */
function leadsToWork({ method, output }: Operation): boolean {
  const shapes: TSchema[] = output.anyOf ?? [output];
  return (
    method !== "GET" &&
    shapes.some(
      ({ properties = {} }) =>
        "deployment_id" in properties || ("job_id" in properties && !("steps" in properties)),
    )
  );
}
