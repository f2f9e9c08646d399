import trunk from "./0001_trunk.sql" with { type: "text" };
import registries from "./0002_registries.sql" with { type: "text" };
import staticReleases from "./0003_static.sql" with { type: "text" };
import sources from "./0004_sources.sql" with { type: "text" };
import hooks from "./0005_hooks.sql" with { type: "text" };
import requestSlots from "./0006_request_slots.sql" with { type: "text" };

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/** Forward only, in order. A migration that was released is never edited. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "trunk", sql: trunk },
  { version: 2, name: "registries", sql: registries },
  { version: 3, name: "static", sql: staticReleases },
  { version: 4, name: "sources", sql: sources },
  { version: 5, name: "hooks", sql: hooks },
  { version: 6, name: "request_slots", sql: requestSlots },
];
