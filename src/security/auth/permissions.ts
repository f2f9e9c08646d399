import { DiploError, invalid } from "../../errors.ts";
import type { Actor, Permission } from "../../operation.ts";

/** Everything that can be granted to a token. `box:owner` cannot: it belongs to control.sock alone. */
const GRANTABLE = [
  "apps:read",
  "apps:write",
  "deploy",
  "logs:read",
  "env:read",
  "env:write",
  "run",
  "tokens:write",
  "system:read",
  "system:write",
] as const satisfies readonly Permission[];

const READ: Permission[] = ["apps:read", "logs:read", "system:read"];
const WRITE: Permission[] = [...READ, "apps:write", "deploy", "env:read", "env:write", "run"];

const BUNDLES = new Map<string, readonly Permission[]>([
  ["read", READ],
  ["write", WRITE],
  ["admin", GRANTABLE],
]);

/** What a signed-in owner may do in the browser: all but what only the box itself may. */
export const SESSION_PERMISSIONS: ReadonlySet<Permission> = new Set(GRANTABLE);
export const OWNER_PERMISSIONS: ReadonlySet<Permission> = new Set([...GRANTABLE, "box:owner"]);

/**
 * Bundles and single permissions → permissions, sorted. Throws `invalid` for an unknown scope and `forbidden` for
 * one that the creator lacks: nobody hands on more than they hold.
 */
export function grant(scopes: readonly string[], creator: Actor): Permission[] {
  const granted = [...new Set(scopes.flatMap(expand))].sort();
  const lacking = granted.filter((permission) => !creator.permissions.has(permission));
  if (lacking.length === 0) return granted;
  throw new DiploError("forbidden", `${creator.name} cannot grant ${lacking.join(", ")}`, {
    status: 403,
    detail: `A token cannot be given what its maker lacks: ${lacking.join(", ")}.`,
    hint: "Leave these scopes out, or sign in as the owner.",
  });
}

/** A permission list as it lies in the database; names that this version does not know grant nothing. */
export function parsePermissions(stored: string): ReadonlySet<Permission> {
  const names = stored.split(" ");
  return new Set(GRANTABLE.filter((permission) => names.includes(permission)));
}

function expand(scope: string): readonly Permission[] {
  const bundle = BUNDLES.get(scope);
  if (bundle) return bundle;
  const single = GRANTABLE.find((permission) => permission === scope);
  if (single) return [single];
  throw invalid("scopes", `must be read, write, admin or among: ${GRANTABLE.join(", ")}`);
}
