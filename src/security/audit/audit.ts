import { createHash } from "node:crypto";
import type { Actor } from "../../operation.ts";
import type { Store } from "../../store/store.ts";

export interface AuditEntry {
  actor: Pick<Actor, "type" | "id" | "name">;
  /** As in `app.scaled`. */
  action: string;
  /** What it was done to: an app's name, a token's id … "" = the box. */
  target: string;
  /** Facts without secrets. */
  detail: Record<string, unknown>;
  /** `left` = the asker went away before the answer; what they asked for goes on. */
  outcome: "done" | "failed" | "left";
  ip: string | null;
}

interface AuditRow {
  seq: number;
  at: number;
  actor_type: string;
  actor_id: string;
  actor_name: string;
  action: string;
  target: string;
  detail: string;
  outcome: string;
  ip: string | null;
  prev_hash: string;
  hash: string;
}

export interface AuditBody {
  id: number;
  at: string;
  actor: { type: string; id: string; name: string };
  action: string;
  target: string;
  detail: Record<string, unknown>;
  outcome: string;
  ip: string | null;
  prev_hash: string;
  hash: string;
}

export type Verdict = { ok: true; entries: number } | { ok: false; entries: number; broken_at: number };

const FIRST_HASH = "0".repeat(64);
const PAGE = 500;

/** Who did what, each entry's hash covering the one before it: a changed or removed row shows. */
export class Audit {
  constructor(
    private readonly store: Store,
    private readonly now: () => number = Date.now,
  ) {}

  record({ actor, action, target, detail, outcome, ip }: AuditEntry): void {
    this.store.transaction(() => {
      const last = this.store.get<{ seq: number; hash: string }>(
        "select seq, hash from audit order by seq desc limit 1",
      );
      const row = {
        seq: (last?.seq ?? 0) + 1,
        at: this.now(),
        actor_type: actor.type,
        actor_id: actor.id,
        actor_name: actor.name,
        action,
        target,
        detail: JSON.stringify(detail),
        outcome,
        ip,
        prev_hash: last?.hash ?? FIRST_HASH,
      };
      this.store.run(
        `insert into audit (seq, at, actor_type, actor_id, actor_name, action, target, detail, outcome, ip, prev_hash, hash)
         values ($seq, $at, $actor_type, $actor_id, $actor_name, $action, $target, $detail, $outcome, $ip, $prev_hash, $hash)`,
        { ...row, hash: hashRow(row) },
      );
    });
  }

  /** Walks the whole chain in pages. `broken_at` is the first entry that does not fit. */
  verify(): Verdict {
    let entries = 0;
    let previous = FIRST_HASH;
    for (;;) {
      const rows = this.store.all<AuditRow>(
        "select * from audit where seq > $entries order by seq limit $page",
        {
          entries,
          page: PAGE,
        },
      );
      if (rows.length === 0) return { ok: true, entries };
      for (const row of rows) {
        const fits = row.seq === entries + 1 && row.prev_hash === previous && row.hash === hashRow(row);
        if (!fits) return { ok: false, entries, broken_at: entries + 1 };
        entries++;
        previous = row.hash;
      }
    }
  }

  /** Newest first. */
  list({ limit = 20, offset = 0 }: { limit?: number; offset?: number } = {}): AuditBody[] {
    return this.store
      .all<AuditRow>("select * from audit order by seq desc limit $limit offset $offset", { limit, offset })
      .map(auditBody);
  }
}

// A JSON array is unambiguous: no two rows read the same.
function hashRow(row: Omit<AuditRow, "hash">): string {
  const fields = [
    row.prev_hash,
    row.seq,
    row.at,
    row.actor_type,
    row.actor_id,
    row.actor_name,
    row.action,
    row.target,
    row.detail,
    row.outcome,
    row.ip,
  ];
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

function auditBody(row: AuditRow): AuditBody {
  return {
    id: row.seq,
    at: new Date(row.at).toISOString(),
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    action: row.action,
    target: row.target,
    detail: JSON.parse(row.detail),
    outcome: row.outcome,
    ip: row.ip,
    prev_hash: row.prev_hash,
    hash: row.hash,
  };
}
