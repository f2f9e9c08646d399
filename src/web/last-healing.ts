import type { Parts } from "../product/parts.ts";

interface Row {
  app: string;
  process: string;
  slot: number;
  at: number;
}

/** The newest restart of an instance that had ended by itself; null = nothing had to be healed. */
export function lastHealing({ store }: Parts): { what: string; at: string } | null {
  const row = store.get<Row>(
    `select a.name as app, i.process, i.slot, json_extract(i.last_exit, '$.at') as at from instances i
     join environments e on e.id = i.environment_id join apps a on a.id = e.app_id
     where i.last_exit is not null and i.restarts > 0 and i.desired = 'running' order by at desc limit 1`,
  );
  if (!row) return null;
  return { what: `${row.process}.${row.slot} of ${row.app}`, at: new Date(row.at).toISOString() };
}
