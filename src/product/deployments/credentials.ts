import { ulid } from "ulid";
import { originOf } from "../../engine/source/repo-url.ts";
import type { SourceCredential, SourceSpec } from "../../engine/source/source.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { Environment } from "../environments/environments.ts";

interface Keeper {
  store: Store;
  vault: Vault;
}

/** What is sealed. The host is part of it: whoever may change an app's source must not be sent the old one's secret. */
interface Kept {
  credential: SourceCredential;
  origin: string | null;
}

/** Keeps the secret that reaches an app's source, sealed and for that host only; the newest counts. Inside a transaction. */
export function saveCredential(
  { store, vault }: Keeper,
  environment: Environment,
  credential: SourceCredential,
  source: SourceSpec,
): void {
  const id = ulid();
  const kept: Kept = { credential, origin: hostOf(source) };
  store.run("delete from credentials where app_id = $appId", { appId: environment.app_id });
  store.run(
    "insert into credentials (id, app_id, kind, sealed, created_at) values ($id, $appId, $kind, $sealed, $now)",
    {
      id,
      appId: environment.app_id,
      kind: credential.kind,
      sealed: vault.seal(JSON.stringify(kept), context(environment, id)),
      now: Date.now(),
    },
  );
}

/** The app's credential if it was given for the host that this source is fetched from. The vault must be ready. */
export function openCredential(
  { store, vault }: Keeper,
  environment: Environment,
  source: SourceSpec,
): SourceCredential | null {
  const row = store.get<{ id: string; sealed: Uint8Array }>(
    "select id, sealed from credentials where app_id = $appId order by id desc limit 1",
    { appId: environment.app_id },
  );
  if (!row) return null;
  const bytes = vault.open(row.sealed, context(environment, row.id));
  const { credential, origin } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Kept;
  return origin !== null && origin === hostOf(source) ? credential : null;
}

function hostOf(source: SourceSpec): string | null {
  return source.kind === "git" ? originOf(source.repo_url) : null;
}

function context(environment: Environment, id: string) {
  return { app: environment.app_id, environment: "*", name: `credential:${id}`, version: 1 };
}
