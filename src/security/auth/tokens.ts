import type { Actor, Permission } from "../../operation.ts";
import type { Store } from "../../store/store.ts";
import { grant, parsePermissions } from "./permissions.ts";
import { hashOf, randomSecret } from "./secret.ts";

export interface TokenRequest {
  name: string;
  /** Permissions, or the bundles read, write, admin. Default read. */
  scopes?: string[];
  /** Default: never expires. */
  expires_in_days?: number;
}

export interface TokenBody {
  id: string;
  name: string;
  prefix: string;
  permissions: string[];
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

export interface CreatedToken extends TokenBody {
  token: string;
}

interface TokenRow {
  id: string;
  name: string;
  prefix: string;
  permissions: string;
  created_at: number;
  last_used_at: number | null;
  expires_at: number | null;
}

const COLUMNS = "id, name, prefix, permissions, created_at, last_used_at, expires_at";
const DAY_MS = 86_400_000;
/** How old `last_used_at` may get: a write per request would wear the card. */
const SEEN_EVERY_MS = 60_000;

/** API tokens: `dpl_` + 32 bytes, kept as hashes. */
export class Tokens {
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly newId: () => string,
  ) {}

  list(): TokenBody[] {
    return this.store.all<TokenRow>(`select ${COLUMNS} from tokens order by id desc`).map(tokenBody);
  }

  create({ name, scopes = ["read"], expires_in_days }: TokenRequest, creator: Actor): CreatedToken {
    const token = `dpl_${randomSecret()}`;
    const now = this.now();
    const row: TokenRow = {
      id: this.newId(),
      name,
      prefix: token.slice(0, 8),
      permissions: grant(scopes, creator).join(" "),
      created_at: now,
      last_used_at: null,
      expires_at: expires_in_days === undefined ? null : now + expires_in_days * DAY_MS,
    };
    this.store.run(
      `insert into tokens (${COLUMNS}, hash)
       values ($id, $name, $prefix, $permissions, $created_at, $last_used_at, $expires_at, $hash)`,
      { ...row, hash: hashOf(token) },
    );
    return { token, ...tokenBody(row) };
  }

  /** False when there was none. */
  revoke(id: string): boolean {
    return this.store.run("delete from tokens where id = $id", { id }) > 0;
  }

  actor(token: string, ip: string | null): Actor | null {
    if (!/^dpl_[\w-]{43}$/.test(token)) return null;
    const row = this.store.get<TokenRow>(`select ${COLUMNS} from tokens where hash = $hash`, {
      hash: hashOf(token),
    });
    const now = this.now();
    if (row === null || (row.expires_at !== null && row.expires_at <= now)) return null;
    if (now - (row.last_used_at ?? 0) > SEEN_EVERY_MS)
      this.store.run("update tokens set last_used_at = $now where id = $id", { now, id: row.id });
    const permissions: ReadonlySet<Permission> = parsePermissions(row.permissions);
    return { type: "token", id: row.id, name: `token ${row.name}`, permissions, via: "token", ip };
  }
}

function tokenBody(row: TokenRow): TokenBody {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    permissions: row.permissions.split(" ").filter(Boolean),
    created_at: new Date(row.created_at).toISOString(),
    last_used_at: row.last_used_at === null ? null : new Date(row.last_used_at).toISOString(),
    expires_at: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  };
}
