import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { DiploError } from "./errors.ts";
import type { Parts } from "./product/parts.ts";

/** What an actor may be allowed to do (capabilities P1). Deny by default. */
export type Permission =
  | "apps:read"
  | "apps:write"
  | "deploy"
  | "logs:read"
  | "env:read"
  | "env:write"
  | "run"
  | "tokens:write"
  | "system:read"
  | "system:write"
  /** Only through control.sock, the owner's door on the box itself. */
  | "box:owner";

/** Who asks. */
export interface Actor {
  type: "owner" | "token" | "system";
  /** Session or token id; never the secret itself. */
  id: string;
  /** For people: shown in history and audit, e.g. `owner`, `token ci`. */
  name: string;
  permissions: ReadonlySet<Permission>;
  via: "socket" | "session" | "token" | "system";
  ip: string | null;
}

export interface Call<Input> {
  input: Input;
  actor: Actor;
  /** Aborted when the asker has left. Leaving cancels no job. */
  signal: AbortSignal;
}

/** One thing a person or program can ask for. Route, OpenAPI entry, CLI verb, authorisation row and audit entry follow. */
export interface Operation<Input extends TObject = TObject, Output extends TSchema = TSchema> {
  /** CLI verb, e.g. `ps:scale`. */
  verb: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /api/v1, with `:name` parameters, e.g. `/apps/:app/formation`. */
  path: string;
  summary: string;
  /** Path parameters, query and body in one object. */
  input: Input;
  /** The input field that the whole body becomes, for bodies whose keys are data (e.g. config names). */
  bodyAs?: string;
  output: Output;
  permission: Permission;
  /**
   * Audit action, e.g. `app.scaled`. Required on everything that changes something. A function where it depends on
   * what is asked for: undefined = nothing worth noting.
   */
  audit?: string | ((input: Static<Input>) => string | undefined);
  /** Input fields left out of the audit (values of secrets). */
  private?: string[];
  /** Positional CLI arguments in order; the others are flags. `app` may also come from -a or DIPLO_APP. */
  args?: string[];
  /** Shown under --help of this verb. */
  example?: string;
  run(
    call: Call<Static<Input>>,
    parts: Parts,
  ): Promise<Static<Output> | Reply<Static<Output>>> | Static<Output> | Reply<Static<Output>>;
}

/** An answer with a status or headers of its own; plain values answer 200. */
export class Reply<Body> {
  constructor(
    readonly status: number,
    readonly body: Body,
    readonly headers: Record<string, string> = {},
  ) {}
}

/** Declares an operation with its types inferred. */
export function operation<Input extends TObject, Output extends TSchema>(
  declared: Operation<Input, Output>,
): Operation<Input, Output> {
  return declared;
}

/** Throws `forbidden` (403) unless the actor holds the permission. */
export function authorise(actor: Actor, permission: Permission): void {
  if (actor.permissions.has(permission)) return;
  throw new DiploError("forbidden", `${actor.name} lacks ${permission}`, {
    status: 403,
    detail: `This needs the permission "${permission}".`,
    hint: "Sign in as the owner, or make a token that has it: diplo tokens:create",
  });
}
