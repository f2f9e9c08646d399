import { invalid, notFound } from "../../errors.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import { iso } from "../schema.ts";
import { checkVar, MAX_TOTAL_BYTES } from "./config-name.ts";
import type { ConfigVar } from "./config-var.ts";
import { parseDotenv } from "./dotenv.ts";

interface VarRow {
  name: string;
  version: number;
  sealed: Uint8Array | null;
  secret: number;
  created_by: string;
  created_at: number;
}

export interface ConfigVarsOptions {
  store: Store;
  vault: Vault;
  environments: Environments;
  /** Asked for the release that a change makes; set by the appliance, which builds both. */
  deployments: () => Pick<Deployments, "ofConfigChange">;
}

export type Changes = Record<string, string | null>;

/** What a change led to. */
export interface ConfigChange {
  vars: ConfigVar[];
  changed: string[];
  deployment_id: string | null;
}

/** The config of environments: sealed, append-only; a release names the versions it was made with. */
export class ConfigVars {
  constructor(private readonly options: ConfigVarsOptions) {}

  async list(app: string, reveal: boolean): Promise<ConfigVar[]> {
    if (reveal) await this.options.vault.ready();
    const environment = this.options.environments.find(app);
    return this.current(environment.id).map((row) => this.body(environment, row, reveal));
  }

  async reveal(app: string, name: string): Promise<ConfigVar> {
    await this.options.vault.ready();
    const environment = this.options.environments.find(app);
    const row = this.current(environment.id).find((candidate) => candidate.name === name);
    if (!row) throw notFound("config", name, "diplo config lists those there are.");
    return this.body(environment, row, true);
  }

  async change(app: string, changes: Changes, by: string): Promise<ConfigChange> {
    await this.options.vault.ready();
    const environment = this.options.environments.find(app);
    const { changed, deploymentId } = this.options.store.transaction(() => {
      const changed = this.write(environment, changes, by);
      const deploymentId =
        changed.length > 0 ? this.options.deployments().ofConfigChange(environment, by) : null;
      return { changed, deploymentId };
    });
    return { vars: await this.list(app, false), changed, deployment_id: deploymentId };
  }

  /** The whole config becomes what the text says; names it lacks are unset. */
  async replace(app: string, dotenv: string, by: string): Promise<ConfigChange> {
    const wanted = parseDotenv(dotenv);
    const changes: Changes = Object.fromEntries(wanted);
    for (const { name } of this.current(this.options.environments.find(app).id)) changes[name] ??= null;
    return this.change(app, changes, by);
  }

  /**
   * Writes new versions of what really differs; call it inside a transaction, with
   * the vault ready. Answers their names.
   */
  write(environment: Environment, changes: Changes, by: string): string[] {
    for (const [name, value] of Object.entries(changes)) checkVar(name, value);
    const before = this.values(environment, this.versions(environment.id));
    const differing = Object.entries(changes).filter(([name, value]) => (before[name] ?? null) !== value);
    refuseTooMuch({ ...before, ...changes });
    for (const [name, value] of differing) this.insert(environment, name, value, by);
    return differing.map(([name]) => name);
  }

  /** Writes what never had a value, and leaves alone what somebody set or unset; as `write`. */
  offer(environment: Environment, defaults: Record<string, string>, by: string): string[] {
    const seen = this.everSet(environment.id);
    const fresh = Object.entries(defaults).filter(([name]) => !seen.has(name));
    return this.write(environment, Object.fromEntries(fresh), by);
  }

  /** Names that have, or once had, a value. */
  everSet(environmentId: string): Set<string> {
    const rows = this.options.store.all<{ name: string }>(
      "select distinct name from config_vars where environment_id = $environmentId",
      { environmentId },
    );
    return new Set(rows.map(({ name }) => name));
  }

  /** Name → version of what is set now: what a release records. */
  versions(environmentId: string): Record<string, number> {
    return Object.fromEntries(this.current(environmentId).map((row) => [row.name, row.version]));
  }

  /** The values of recorded versions, opened; the vault must be ready. */
  values(environment: Environment, versions: Record<string, number>): Record<string, string> {
    const values: Record<string, string> = {};
    for (const [name, version] of Object.entries(versions)) {
      const row = this.options.store.get<VarRow>(
        "select * from config_vars where environment_id = $id and name = $name and version = $version",
        { id: environment.id, name, version },
      );
      if (row?.sealed) values[name] = this.open(environment, row);
    }
    return values;
  }

  /** Puts recorded versions back as the newest ones: rolling back brings its config along. Inside a transaction. */
  restore(environment: Environment, versions: Record<string, number>, by: string): void {
    const wanted: Changes = { ...this.values(environment, versions) };
    for (const { name } of this.current(environment.id)) wanted[name] ??= null;
    this.write(environment, wanted, by);
  }

  private insert(environment: Environment, name: string, value: string | null, by: string): void {
    const { store, vault } = this.options;
    const last = store.get<{ version: number | null }>(
      "select max(version) as version from config_vars where environment_id = $id and name = $name",
      { id: environment.id, name },
    );
    const version = (last?.version ?? 0) + 1;
    store.run(
      `insert into config_vars (environment_id, name, version, sealed, created_by, created_at)
       values ($id, $name, $version, $sealed, $by, $now)`,
      {
        id: environment.id,
        name,
        version,
        sealed: value === null ? null : vault.seal(value, context(environment, name, version)),
        by,
        now: Date.now(),
      },
    );
  }

  private current(environmentId: string): VarRow[] {
    return this.options.store.all<VarRow>(
      `select * from config_vars v where environment_id = $environmentId and sealed is not null and version =
       (select max(version) from config_vars where environment_id = v.environment_id and name = v.name) order by name`,
      { environmentId },
    );
  }

  private open(environment: Environment, row: VarRow): string {
    const bytes = this.options.vault.open(
      row.sealed as Uint8Array,
      context(environment, row.name, row.version),
    );
    return Buffer.from(bytes).toString("utf8");
  }

  private body(environment: Environment, row: VarRow, reveal: boolean): ConfigVar {
    return {
      name: row.name,
      value: reveal ? this.open(environment, row) : null,
      secret: row.secret === 1,
      version: row.version,
      updated_at: iso(row.created_at),
      updated_by: row.created_by,
    };
  }
}

function context(environment: Environment, name: string, version: number) {
  // Ids, not names: a renamed app still opens its values.
  return { app: environment.app_id, environment: environment.id, name, version };
}

function refuseTooMuch(vars: Changes): void {
  let total = 0;
  for (const [name, value] of Object.entries(vars))
    if (value !== null) total += Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
  if (total > MAX_TOTAL_BYTES)
    throw invalid(
      "env",
      "all names and values together are longer than 1 MiB",
      "Keep large data in a volume.",
    );
}
