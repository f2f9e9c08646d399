import type { Database } from "bun:sqlite";
import { DiploError } from "../errors.ts";

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

  /** Answers how many rows changed. Throws `disk_full`. */
  run(sql: string, values: Values = {}): number {
    return explained(() => this.db.query<Row, [Values]>(sql).run(values).changes);
  }

  /**
   * All or nothing; nested calls are savepoints. The work must be synchronous: bun:sqlite commits at the first
   * await, so a promise is refused.
   */
  transaction<T>(work: () => T): T {
    const all = this.db.transaction(() => {
      const result = work();
      if (result instanceof Promise) throw new Error("a transaction must be synchronous");
      return result;
    });
    return explained(() => all());
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

/** SQLite rolls back and goes on reading when the disk is full; writing works again once there is room. */
function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as { code?: string }).code !== "SQLITE_FULL") throw error;
    throw new DiploError("disk_full", "no space left for the database", {
      status: 507,
      detail: "The disk of this box is full, so nothing can be written down.",
      hint: "Free some space, then try again; what runs goes on running.",
      cause: error,
    });
  }
}
