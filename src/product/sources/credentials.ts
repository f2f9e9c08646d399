import { ulid } from "ulid";
import { makeDeployKey } from "../../engine/source/deploy-key.ts";
import { originOf } from "../../engine/source/repo-url.ts";
import type { SourceCredential, SourceSpec } from "../../engine/source/source.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import { iso } from "../schema.ts";

/** What is sealed. The host is part of it: whoever may change an app's source must not be sent the old one's secret. */
interface Kept {
  credential: SourceCredential;
  /** null for a deploy key: it proves who we are to any host and tells none of them anything. */
  origin: string | null;
}

interface Row {
  id: string;
  kind: SourceCredential["kind"];
  sealed: Uint8Array;
  shown: string;
  created_at: number;
}

/** A secret for a host, without the secret. */
export interface CredentialBody {
  kind: "token" | "password";
  /** As in https://git.example.org */
  origin: string;
  username: string | null;
  created_at: string;
}

/** The public half of an app's key. */
export interface DeployKeyBody {
  public_key: string;
  fingerprint: string;
  created_at: string;
}

/** Secrets that reach apps' sources: a deploy key per app, and per app and host a token or a password. All sealed. */
export class Credentials {
  constructor(private readonly options: { store: Store; vault: Vault }) {}

  /** The vault must be ready. Keeps it for the source's host only; the newest for a host counts. */
  save(appId: string, credential: SourceCredential, source: SourceSpec): void {
    const origin = hostOf(source);
    if (origin === null) return;
    const username = credential.kind === "password" ? credential.username : null;
    this.options.store.transaction(() => {
      this.remove(appId, origin);
      this.insert(appId, { credential, origin }, { origin, username });
    });
  }

  /** What reaches this source: the app's key over ssh, else what was given for its host. The vault must be ready. */
  open(appId: string, source: SourceSpec): SourceCredential | null {
    const wanted = hostOf(source);
    if (wanted === null) return null;
    const overSsh = wanted.startsWith("ssh:");
    for (const row of this.rows(appId)) {
      if ((row.kind === "deploy_key") !== overSsh) continue;
      const bytes = this.options.vault.open(row.sealed, context(appId, row.id));
      const { credential, origin } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Kept;
      if (overSsh || origin === wanted) return credential;
    }
    return null;
  }

  /** Tokens and passwords of an app, newest first. */
  list(appId: string): CredentialBody[] {
    return this.rows(appId).flatMap(({ kind, shown, created_at }) => {
      const { origin = "", username = null } = JSON.parse(shown) as Partial<CredentialBody>;
      return kind === "deploy_key" ? [] : [{ kind, origin, username, created_at: iso(created_at) }];
    });
  }

  /** Forgets what was given for a host. Answers whether there was anything. */
  remove(appId: string, origin: string): boolean {
    const found = this.rows(appId).filter(
      (row) => row.kind !== "deploy_key" && (JSON.parse(row.shown).origin ?? "") === origin,
    );
    for (const { id } of found) this.options.store.run("delete from credentials where id = $id", { id });
    return found.length > 0;
  }

  deployKey(appId: string): DeployKeyBody | null {
    const row = this.rows(appId).find(({ kind }) => kind === "deploy_key");
    if (!row) return null;
    const { public_key, fingerprint } = JSON.parse(row.shown) as DeployKeyBody;
    return { public_key, fingerprint, created_at: iso(row.created_at) };
  }

  /** The app's key, made when there is none. `comment` is what the host lists it by. The vault must be ready. */
  ensureDeployKey(appId: string, comment: string): DeployKeyBody {
    return this.deployKey(appId) ?? this.replaceDeployKey(appId, comment);
  }

  /** Another key in the place of the old one, which opens nothing any more. The vault must be ready. */
  replaceDeployKey(appId: string, comment: string): DeployKeyBody {
    const { private_key, public_key, fingerprint } = makeDeployKey(comment);
    this.options.store.transaction(() => {
      this.removeDeployKey(appId);
      const credential = { kind: "deploy_key", private_key } as const;
      this.insert(appId, { credential, origin: null }, { public_key, fingerprint });
    });
    return this.deployKey(appId) as DeployKeyBody;
  }

  removeDeployKey(appId: string): boolean {
    const was = this.deployKey(appId) !== null;
    this.options.store.run("delete from credentials where app_id = $appId and kind = 'deploy_key'", {
      appId,
    });
    return was;
  }

  private rows(appId: string): Row[] {
    return this.options.store.all<Row>(
      "select id, kind, sealed, shown, created_at from credentials where app_id = $appId order by rowid desc",
      { appId },
    );
  }

  private insert(appId: string, kept: Kept, shown: Record<string, string | null>): void {
    const id = ulid();
    this.options.store.run(
      `insert into credentials (id, app_id, kind, sealed, shown, created_at)
       values ($id, $appId, $kind, $sealed, $shown, $now)`,
      {
        id,
        appId,
        kind: kept.credential.kind,
        sealed: this.options.vault.seal(JSON.stringify(kept), context(appId, id)),
        shown: JSON.stringify(shown),
        now: Date.now(),
      },
    );
  }
}

function hostOf(source: SourceSpec): string | null {
  return source.kind === "git" ? originOf(source.repo_url) : null;
}

function context(appId: string, id: string) {
  return { app: appId, environment: "*", name: `credential:${id}`, version: 1 };
}
