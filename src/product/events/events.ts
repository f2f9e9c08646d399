import type { Store } from "../../store/store.ts";

export interface EventRow {
  /** Grows by one with each event: what clients send as Last-Event-ID. */
  seq: number;
  type: string;
  at: number;
  app_id: string | null;
  payload: Record<string, unknown>;
}

export type EventListener = (event: EventRow) => void;

const KEPT_MS = 24 * 3600_000;

/** Everything that happened, in order, for those who watch. Recorded in the transaction it belongs to. */
export class Events {
  private readonly listeners = new Set<EventListener>();
  private told: number;
  private scheduled = false;

  constructor(private readonly store: Store) {
    this.told = this.lastSeq();
  }

  /** Call it inside the transaction of what happened: an event of something rolled back is never told. */
  emit(type: string, appId: string | null, payload: Record<string, unknown>): void {
    this.store.run("insert into events (type, at, app_id, payload) values ($type, $at, $appId, $payload)", {
      type,
      at: Date.now(),
      appId,
      payload: JSON.stringify(payload),
    });
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.tell());
  }

  subscribe(listener: EventListener): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  }

  since(seq: number, limit = 1000): EventRow[] {
    return this.store
      .all<Omit<EventRow, "payload"> & { payload: string }>(
        "select * from events where seq > $seq order by seq limit $limit",
        { seq, limit },
      )
      .map((row) => ({ ...row, payload: JSON.parse(row.payload) }));
  }

  lastSeq(): number {
    return this.store.get<{ seq: number | null }>("select max(seq) as seq from events")?.seq ?? 0;
  }

  /** Removes what is older than a day. */
  forget(now = Date.now()): void {
    this.store.run("delete from events where at < $before", { before: now - KEPT_MS });
  }

  private tell(): void {
    this.scheduled = false;
    const fresh = this.since(this.told);
    this.told = fresh.at(-1)?.seq ?? this.told;
    for (const event of fresh) for (const listener of this.listeners) listener(event);
  }
}
