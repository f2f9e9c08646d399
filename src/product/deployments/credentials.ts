import { ulid } from "ulid";
import type { SourceCredential } from "../../engine/source/source.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { Environment } from "../environments/environments.ts";

interface Keeper {
  store: Store;
  vault: Vault;
}

/** Keeps the secret that reaches an app's source, sealed; the newest one counts. Inside a transaction. */
export function saveCredential(
  { store, vault }: Keeper,
  environment: Environment,
  credential: SourceCredential,
): void {
  const id = ulid();
  store.run("delete from credentials where app_id = $appId", { appId: environment.app_id });
  store.run(
    "insert into credentials (id, app_id, kind, sealed, created_at) values ($id, $appId, $kind, $sealed, $now)",
    {
      id,
      appId: environment.app_id,
      kind: credential.kind,
      sealed: vault.seal(JSON.stringify(credential), context(environment, id)),
      now: Date.now(),
    },
  );
}

export function openCredential({ store, vault }: Keeper, environment: Environment): SourceCredential | null {
  const row = store.get<{ id: string; sealed: Uint8Array }>(
    "select id, sealed from credentials where app_id = $appId order by id desc limit 1",
    { appId: environment.app_id },
  );
  if (!row) return null;
  return JSON.parse(Buffer.from(vault.open(row.sealed, context(environment, row.id))).toString("utf8"));
}

function context(environment: Environment, id: string) {
  return { app: environment.app_id, environment: "*", name: `credential:${id}`, version: 1 };
}
