import type { Database } from "bun:sqlite";

type Row = Record<string, unknown>;
export type Value = string | number | bigint | boolean | null | Uint8Array;
/** Bound by name, without the `$`; a missing one throws. */
export type Values = Record<string, Value>;

/** The database behind every noun: synchronous reads and writes, and transactions that nest. */
export class Store {
  constructor(readonly db: Database) {}

  all<T = Row>(sql: string, values: Values = {}): T[] {
    return this.db.query<Row, [Values]>(sql).all(values) as unknown as T[];
  }

  get<T = Row>(sql: string, values: Values = {}): T | null {
    return (this.db.query<Row, [Values]>(sql).get(values) as unknown as T | null) ?? null;
  }

  /** Answers how many rows changed. */
  run(sql: string, values: Values = {}): number {
    return this.db.query<Row, [Values]>(sql).run(values).changes;
  }

  /**
   * All or nothing; nested calls are savepoints. The work must be synchronous: bun:sqlite commits at the first
   * await, so a promise is refused.
   */
  transaction<T>(work: () => T): T {
    return this.db.transaction(() => {
      const result = work();
      if (result instanceof Promise) throw new Error("a transaction must be synchronous");
      return result;
    })();
  }

  setting(name: string): string | null {
    return (
      this.get<{ value: string }>("select value from settings where name = $name", { name })?.value ?? null
    );
  }

  setSetting(name: string, value: string): void {
    this.run(
      "insert into settings (name, value) values ($name, $value) on conflict (name) do update set value = $value",
      { name, value },
    );
  }

  close(): void {
    this.db.close();
  }
}
