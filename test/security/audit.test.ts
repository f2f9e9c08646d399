import { beforeEach, expect, test } from "bun:test";
import { createLog } from "../../src/log.ts";
import { Audit } from "../../src/security/audit/audit.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

let store: Store;
let audit: Audit;
beforeEach(async () => {
  store = await openStore({ file: ":memory:", backups: "", log: createLog("error", () => {}) });
  audit = new Audit(store, () => Date.UTC(2026, 0, 1));
});

const actor = { type: "owner", id: "socket", name: "owner" } as const;
const record = (target: string) =>
  audit.record({ actor, action: "app.scaled", target, detail: { web: 3 }, outcome: "done", ip: null });

test("Audit.list tells newest first, in pages", () => {
  for (const name of ["one", "two", "three"]) record(name);
  expect(audit.list({ limit: 2 }).map(({ target }) => target)).toEqual(["three", "two"]);
  expect(audit.list({ limit: 2, offset: 2 })[0]).toMatchObject({
    id: 1,
    actor,
    action: "app.scaled",
    target: "one",
    detail: { web: 3 },
    outcome: "done",
    prev_hash: "0".repeat(64),
  });
});

test("Audit.verify holds for a whole chain longer than a page", () => {
  expect(audit.verify()).toEqual({ ok: true, entries: 0 });
  store.transaction(() => {
    for (let i = 0; i < 1201; i++) record(`app-${i}`);
  });
  expect(audit.verify()).toEqual({ ok: true, entries: 1201 });
});

test.each([
  ["changed", "update audit set target = 'other' where seq = 3", 3],
  ["removed", "delete from audit where seq = 3", 3],
  ["moved to another actor", "update audit set actor_id = 'sock', actor_name = 'etowner' where seq = 2", 2],
  ["given a null", "update audit set ip = 'null' where seq = 4", 4],
])("Audit.verify finds an entry that was %s", (_how, sql, broken_at) => {
  for (let i = 0; i < 5; i++) record(`app-${i}`);
  store.run(sql);
  expect(audit.verify()).toEqual({ ok: false, entries: broken_at - 1, broken_at });
});
