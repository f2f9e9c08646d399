import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { DiploError } from "../errors.ts";
import { type Actor, type Operation, Reply } from "../operation.ts";
import { invoke } from "../product/invoke.ts";
import type { RouteCall } from "../route.ts";

/** Asks for an operation as the API does: the same authorisation, validation and audit. Answers its body. */
export async function perform<Input extends TObject, Output extends TSchema>(
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
  call: RouteCall,
): Promise<Static<Output>> {
  const generic = operation as unknown as Operation;
  const answer = await invoke(generic, input, signedIn(call), call.parts, call.request.signal);
  return (answer instanceof Reply ? answer.body : answer) as Static<Output>;
}

/** The same, or null where the answer is only an extra: the page is shown without it. */
export async function performOrNull<Input extends TObject, Output extends TSchema>(
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
  call: RouteCall,
): Promise<Static<Output> | null> {
  try {
    return await perform(operation, input, call);
  } catch (error) {
    call.parts.log.debug("page part left out", { verb: operation.verb, error: String(error) });
    return null;
  }
}

/** The guard lets nobody else through to a page that is not public; this says so to the compiler. */
export function signedIn({ actor }: RouteCall): Actor {
  if (actor) return actor;
  throw new DiploError("unauthenticated", "page without a sign-in", { status: 401 });
}
