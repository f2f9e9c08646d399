import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { Runtimes } from "../../src/engine/runtime/runtimes.ts";
import { createLog } from "../../src/log.ts";
import { Environments } from "../../src/product/environments/environments.ts";
import { InstanceRows } from "../../src/product/instances/instance-rows.ts";
import { Releases } from "../../src/product/releases/releases.ts";
import { openStore } from "../../src/store/open.ts";

/** The nouns on a database in memory, on a box whose engine does not answer. */
export async function product(env: Record<string, string> = {}) {
  const data = mkdtempSync(join(tmpdir(), "dprod-"));
  const settings = readConfig(
    { data },
    { DIPLO_APP_PORTS: "20000-20999", DIPLO_HTTP: "127.0.0.1:80", ...env },
  );
  const log = createLog("error", () => {});
  const store = await openStore({ file: ":memory:", backups: data, log });
  store.run("insert into nodes (id, name, architecture, created_at) values ('node', 'node', 'amd64', 0)");
  const runtimes = new Runtimes({
    log,
    detect: async () => [],
    connect: () => Promise.reject(new Error("none")),
  });
  const environments = new Environments({ store, settings, runtimes });
  const releases = new Releases({ store, environments });
  const instances = new InstanceRows(store, () => "node");
  return { store, settings, log, runtimes, environments, releases, instances };
}
