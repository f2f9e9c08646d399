import { ulid } from "ulid";
import type { BuildPlan } from "../../engine/build/plan.ts";
import { conflict, notFound } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import { withDefaults } from "../environments/settings.ts";
import { iso } from "../schema.ts";
import type { Release } from "./release.ts";
import type { ReleaseSpec } from "./release-spec.ts";

export interface ReleaseRow {
  id: string;
  environment_id: string;
  number: number;
  spec: ReleaseSpec;
  build_id: string;
  from_release_id: string | null;
  created_by: string;
  created_at: number;
  live_at: number | null;
}

type Raw = Omit<ReleaseRow, "spec"> & { spec: string };

export interface NewRelease {
  environment: Environment;
  spec: ReleaseSpec;
  buildId: string;
  fromReleaseId: string | null;
  createdBy: string;
}

/** What a build left at the engine and in the proxy's directory. */
export interface BuildArtifacts {
  id: string;
  image_tag: string | null;
  site: string | null;
}

/** How many releases that were live keep their image. */
const KEEP = 5;

/** Numbered, immutable records of what ran. */
export class Releases {
  constructor(private readonly options: { store: Store; environments: Environments }) {}

  list(app: string): Release[] {
    const environment = this.options.environments.find(app);
    const current = this.current(environment.id)?.id;
    return this.ofEnvironment(environment.id).map((row) => this.body(row, current));
  }

  get(app: string, number: number): Release {
    const environment = this.options.environments.find(app);
    return this.body(this.byNumber(environment, number), this.current(environment.id)?.id);
  }

  /** Writes the next number; call it inside a transaction. */
  create({ environment, spec, buildId, fromReleaseId, createdBy }: NewRelease): ReleaseRow {
    const { store } = this.options;
    const last = store.get<{ number: number | null }>(
      "select max(number) as number from releases where environment_id = $id",
      { id: environment.id },
    );
    const id = ulid();
    store.run(
      `insert into releases (id, environment_id, number, spec, build_id, from_release_id, created_by, created_at)
       values ($id, $environmentId, $number, $spec, $buildId, $fromReleaseId, $createdBy, $now)`,
      {
        id,
        environmentId: environment.id,
        number: (last?.number ?? 0) + 1,
        spec: JSON.stringify(spec),
        buildId,
        fromReleaseId,
        createdBy,
        now: Date.now(),
      },
    );
    return this.byId(id);
  }

  byId(id: string): ReleaseRow {
    const row = this.options.store.get<Raw>("select * from releases where id = $id", { id });
    if (!row) throw notFound("release", id);
    return fromRaw(row);
  }

  byNumber(environment: Environment, number: number): ReleaseRow {
    const row = this.options.store.get<Raw>(
      "select * from releases where environment_id = $id and number = $number",
      { id: environment.id, number },
    );
    if (!row)
      throw notFound("release", `v${number}`, `diplo releases -a ${environment.app} lists those there are.`);
    return fromRaw(row);
  }

  /** What the traffic rows say is meant to serve. */
  current(environmentId: string): ReleaseRow | null {
    const row = this.options.store.get<Raw>(
      `select r.* from releases r join traffic t on t.release_id = r.id
       where t.environment_id = $environmentId order by t.weight desc, r.number desc limit 1`,
      { environmentId },
    );
    return row ? fromRaw(row) : null;
  }

  /** The newest that ever served. */
  lastLive(environmentId: string): ReleaseRow | null {
    const row = this.options.store.get<Raw>(
      "select * from releases where environment_id = $environmentId and live_at is not null order by number desc limit 1",
      { environmentId },
    );
    return row ? fromRaw(row) : null;
  }

  /** The newest release that served before the current one. Throws `no_previous_release`. */
  previous(environment: Environment): ReleaseRow {
    const current = this.current(environment.id);
    const row = this.options.store.get<Raw>(
      `select * from releases where environment_id = $id and live_at is not null and number < $below
       order by number desc limit 1`,
      { id: environment.id, below: current?.number ?? 0 },
    );
    if (!row)
      throw conflict(
        "no_previous_release",
        `${environment.app} has no earlier release`,
        "Deploy a new one instead.",
      );
    return fromRaw(row);
  }

  /** Throws unless it was live once and its image is still kept. */
  checkRollbackTarget(release: ReleaseRow): void {
    if (release.live_at === null)
      throw conflict(
        "release_never_live",
        `v${release.number} was never live`,
        "Choose one that was: diplo releases",
      );
    if (this.isPruned(release))
      throw conflict(
        "release_pruned",
        `the image of v${release.number} is no longer kept`,
        "Deploy its commit again.",
      );
  }

  markLive(id: string): void {
    this.options.store.run("update releases set live_at = coalesce(live_at, $now) where id = $id", {
      id,
      now: Date.now(),
    });
  }

  /** Builds whose image no kept release needs: beyond the last five that were live. */
  prunableBuilds(environmentId: string): BuildArtifacts[] {
    return this.options.store.all(
      `select id, image_tag, site from builds b where environment_id = $environmentId and pruned_at is null
       and not exists (select 1 from releases r where r.build_id = b.id and (r.number >=
         (select min(number) from (select number from releases where environment_id = $environmentId
          and live_at is not null order by number desc limit ${KEEP}))))
       and not exists (select 1 from instances i join releases r on r.id = i.release_id
         where r.build_id = b.id and i.released_at is null)
       and not exists (select 1 from jobs j join deployments d on d.job_id = j.id
         where d.environment_id = $environmentId and d.build_id = b.id and j.status in ('queued', 'running'))
       and exists (select 1 from releases where environment_id = $environmentId and live_at is not null)`,
      { environmentId },
    );
  }

  /** What a release was built as. */
  artifacts({ build_id }: ReleaseRow): BuildArtifacts & { plan: BuildPlan } {
    const row = this.options.store.get<BuildArtifacts & { plan: string }>(
      "select id, image_tag, site, plan from builds where id = $build_id",
      { build_id },
    );
    if (!row) throw notFound("build", build_id);
    return { ...row, plan: JSON.parse(row.plan) };
  }

  /** Sites that a build of this box has, pruned ones left out. */
  knownSites(): Set<string> {
    const rows = this.options.store.all<{ site: string }>(
      "select site from builds where site is not null and pruned_at is null",
    );
    return new Set(rows.map(({ site }) => site));
  }

  /** A deployment under way may have written it already. Sites are named after their deployment. */
  isBeingBuilt(site: string): boolean {
    return (
      this.options.store.get("select 1 from deployments where lower(id) = $site and outcome is null", {
        site,
      }) !== null
    );
  }

  markPruned(buildId: string): void {
    this.options.store.run("update builds set pruned_at = $now where id = $buildId", {
      buildId,
      now: Date.now(),
    });
  }

  ofEnvironment(environmentId: string): ReleaseRow[] {
    return this.options.store
      .all<Raw>("select * from releases where environment_id = $environmentId order by number desc", {
        environmentId,
      })
      .map(fromRaw);
  }

  private isPruned(release: ReleaseRow): boolean {
    return (
      this.options.store.get("select 1 from builds where id = $id and pruned_at is not null", {
        id: release.build_id,
      }) !== null
    );
  }

  private body(row: ReleaseRow, currentId: string | undefined): Release {
    const source = this.options.store.get<{ message: string | null }>(
      "select s.message from builds b left join sources s on s.id = b.source_id where b.id = $id",
      { id: row.build_id },
    );
    const from = row.from_release_id ? this.byId(row.from_release_id).number : null;
    return {
      version: row.number,
      status: this.status(row, currentId),
      image_id: row.spec.image?.id ?? null,
      image: row.spec.image?.pinned ?? null,
      site: row.spec.site,
      commit: row.spec.commit,
      commit_message: source?.message ?? null,
      provider: row.spec.provider,
      processes: row.spec.processes,
      config: row.spec.config,
      from_release: from,
      created_by: row.created_by,
      created_at: iso(row.created_at),
    };
  }

  private status(row: ReleaseRow, currentId: string | undefined): Release["status"] {
    if (row.id === currentId) return "current";
    if (row.live_at === null) return "failed";
    return this.isPruned(row) ? "pruned" : "previous";
  }
}

function fromRaw(row: Raw): ReleaseRow {
  const spec = JSON.parse(row.spec) as ReleaseSpec;
  // Releases of before there were sites do not say that they have none.
  return { ...row, spec: { ...spec, site: spec.site ?? null, settings: withDefaults(spec.settings) } };
}
