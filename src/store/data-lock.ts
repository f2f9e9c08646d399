import { Database } from "bun:sqlite";
import { DiploError } from "../errors.ts";

/**
 * One daemon per data directory: an exclusively locked SQLite file, which the kernel frees when the holder dies,
 * however it dies. Throws `already_running`.
 */
export function lockData(file: string): Disposable {
  const db = new Database(file, { create: true });
  try {
    db.run("pragma busy_timeout = 0");
    db.run("pragma locking_mode = exclusive");
    db.run("begin exclusive");
    db.run("create table if not exists holder (pid integer)");
    db.run("delete from holder");
    db.query("insert into holder values ($pid)").run({ $pid: process.pid });
    db.run("commit");
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code !== "SQLITE_BUSY") throw error;
    throw new DiploError("already_running", `another Diplo works on ${file.replace(/\/[^/]*$/, "")}`, {
      hint: "Stop it first, or choose another directory with --data.",
      cause: error,
    });
  }
  return { [Symbol.dispose]: () => db.close() };
}
