import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DiploError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type Migration, migrations as shipped } from "./migrations/migrations.ts";
import { Store } from "./store.ts";

export interface OpenOptions {
  /** Path of the database file, or `:memory:`. */
  file: string;
  /** Directory for the copy made before a migration. */
  backups: string;
  log: Log;
  /** True when this box has worked before: then an empty database file is a loss, not a first start. */
  established?: boolean;
  migrations?: readonly Migration[];
}

/**
 * Opens the database and brings its schema up to date, before anything listens. Refuses a database that a newer
 * Diplo wrote (`schema_newer`), one that is damaged (`database_damaged`) and an emptied one (`database_emptied`).
 */
export async function openStore({
  file,
  backups,
  log,
  established = false,
  migrations = shipped,
}: OpenOptions): Promise<Store> {
  if (established) refuseEmptied(file);
  // SQLite gives its -wal and -shm files the mode of the database.
  if (file !== ":memory:") closeSync(openSync(file, "a", 0o600));
  const db = new Database(file, { create: true, strict: true });
  try {
    prepare(db);
    refuseDamaged(db, file);
    await migrate(db, file, backups, migrations, log);
    return new Store(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepare(db: Database): void {
  db.run("pragma busy_timeout = 5000");
  db.run("pragma journal_mode = wal");
  // FULL: a step that was reported committed survives a power cut, not only a crash.
  db.run("pragma synchronous = full");
  db.run("pragma foreign_keys = on");
  db.run("pragma temp_store = memory");
}

// A zero-length file is a valid empty database to SQLite: it would silently start a new box.
function refuseEmptied(file: string): void {
  if (existsSync(file) && statSync(file).size > 0) return;
  throw new DiploError("database_emptied", `${file} is empty or missing, but its master key is there`, {
    hint: `Restore it from ${join(file, "..", "backups")}. To start over, move master.key away too.`,
  });
}

function refuseDamaged(db: Database, file: string): void {
  const verdict = db.query("pragma quick_check(1)").get() as { quick_check: string } | null;
  if (verdict?.quick_check === "ok") return;
  throw new DiploError("database_damaged", `${file}: ${verdict?.quick_check ?? "unreadable"}`, {
    hint: "Restore the newest copy from the backups directory.",
  });
}

async function migrate(
  db: Database,
  file: string,
  backups: string,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  const current = (db.query("pragma user_version").get() as { user_version: number }).user_version;
  const newest = migrations.at(-1)?.version ?? 0;
  if (current > newest)
    throw new DiploError("schema_newer", `database has schema ${current}, this Diplo knows ${newest}`, {
      hint: "Install the newer Diplo again; databases are not taken back.",
    });
  const pending = migrations.filter((migration) => migration.version > current);
  if (pending.length === 0) return;
  if (current > 0 && file !== ":memory:") await copyBefore(db, backups, current);
  db.transaction(() => {
    for (const migration of pending) db.run(migration.sql);
    db.run(`pragma user_version = ${newest}`);
  })();
  if (current > 0) log.info("database migrated", { from: current, to: newest });
}

// VACUUM INTO is consistent under WAL; a plain file copy is not.
async function copyBefore(db: Database, backups: string, version: number): Promise<void> {
  await mkdir(backups, { recursive: true, mode: 0o700 });
  const target = join(backups, `schema-${version}.db`);
  await rm(`${target}.tmp`, { force: true });
  db.query("vacuum into $target").run({ target: `${target}.tmp` });
  await rename(`${target}.tmp`, target);
}
