import { ulid } from "ulid";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import type { ReleaseMount } from "../releases/release-spec.ts";
import { iso } from "../schema.ts";
import type { Volume } from "./volume.ts";

interface MountRow {
  volume_id: string;
  name: string;
  engine_name: string;
  process: string;
  path: string;
  read_only: number;
  created_at: number;
}

export interface VolumesOptions {
  store: Store;
  environments: Environments;
  runtimes: Runtimes;
  deployments: () => Pick<Deployments, "ofConfigChange">;
}

/** Directories of an environment that outlive its releases. Never removed unasked. */
export class Volumes {
  constructor(private readonly options: VolumesOptions) {}

  list(app: string): Volume[] {
    return this.mounts(this.options.environments.find(app).id).map(body);
  }

  add(
    input: { app: string; mount_path: string; name?: string; process?: string; read_only?: boolean },
    by: string,
  ): { volume: Volume; deployment_id: string | null } {
    const environment = this.options.environments.find(input.app);
    const path = checkPath(input.mount_path);
    const process = input.process ?? "*";
    if (
      this.mounts(environment.id).some(
        (mount) =>
          mount.path === path && (mount.process === process || mount.process === "*" || process === "*"),
      )
    )
      throw conflict("mount_exists", `${path} is a volume already`, "diplo storage lists them.");
    return this.options.store.transaction(() => {
      const volume = this.insert(environment, path, {
        process,
        readOnly: input.read_only ?? false,
        name: input.name,
      });
      return { volume, deployment_id: this.options.deployments().ofConfigChange(environment, by) };
    });
  }

  /** Volumes for paths that an image declares (VOLUME) and that have none yet. Inside a transaction. */
  ensureDeclared(environment: Environment, paths: string[]): void {
    const known = new Set(this.mounts(environment.id).map((mount) => mount.path));
    for (const path of new Set(paths))
      if (!known.has(path))
        this.insert(environment, path, { process: "*", readOnly: false, name: undefined });
  }

  async remove(
    input: { app: string; name: string; confirm?: string },
    by: string,
  ): Promise<{ deployment_id: string | null }> {
    const environment = this.options.environments.find(input.app);
    const mount = this.mounts(environment.id).find((candidate) => candidate.name === input.name);
    if (!mount) throw notFound("volume", input.name, "diplo storage lists those there are.");
    if (input.confirm !== input.name)
      throw invalid(
        "confirm",
        `must be "${input.name}"`,
        "Its data will be gone for good; say its name again.",
      );
    if (this.inUse(environment.id, mount.engine_name))
      throw conflict(
        "volume_in_use",
        `${input.name} is mounted by a running instance`,
        "Stop the app first: diplo ps:stop",
      );
    const runtime = await this.options.runtimes.usable();
    await runtime.removeVolume(mount.engine_name);
    this.options.store.run("delete from volumes where id = $id", { id: mount.volume_id });
    return {
      deployment_id:
        environment.desired === "running" ? this.options.deployments().ofConfigChange(environment, by) : null,
    };
  }

  /** What the next release mounts. */
  releaseMounts(environmentId: string): ReleaseMount[] {
    return this.mounts(environmentId).map((mount) => ({
      volume: mount.engine_name,
      process: mount.process,
      path: mount.path,
      read_only: mount.read_only === 1,
    }));
  }

  engineNames(environmentId: string): string[] {
    return this.options.store
      .all<{ engine_name: string }>("select engine_name from volumes where environment_id = $environmentId", {
        environmentId,
      })
      .map((row) => row.engine_name);
  }

  private inUse(environmentId: string, volume: string): boolean {
    return this.options.store
      .all<{ spec: string }>(
        `select r.spec from instances i join releases r on r.id = i.release_id
         where i.environment_id = $environmentId and i.released_at is null`,
        { environmentId },
      )
      .some((row) =>
        (JSON.parse(row.spec).mounts as ReleaseMount[]).some((mount) => mount.volume === volume),
      );
  }

  private insert(
    environment: Environment,
    path: string,
    { process, readOnly, name }: { process: string; readOnly: boolean; name: string | undefined },
  ): Volume {
    const { store } = this.options;
    const chosen = this.freeName(
      environment.id,
      name ??
        (path
          .replace(/[^a-zA-Z0-9]+/g, "-")
          .replace(/^-|-$/g, "")
          .toLowerCase() ||
          "data"),
      name !== undefined,
    );
    const id = ulid();
    const row = {
      id,
      environmentId: environment.id,
      app: environment.app,
      environment: environment.name,
      name: chosen,
      engineName: `diplo-${id.toLowerCase()}`,
      now: Date.now(),
    };
    store.run(
      `insert into volumes (id, environment_id, app_name, environment_name, name, engine_name, created_at)
       values ($id, $environmentId, $app, $environment, $name, $engineName, $now)`,
      row,
    );
    store.run(
      `insert into mounts (environment_id, volume_id, process, path, read_only)
       values ($environmentId, $id, $process, $path, $readOnly)`,
      { environmentId: environment.id, id, process, path, readOnly: readOnly ? 1 : 0 },
    );
    const mount = this.mounts(environment.id).find((candidate) => candidate.volume_id === id);
    return body(mount as MountRow);
  }

  private freeName(environmentId: string, wanted: string, exact: boolean): string {
    if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(wanted))
      throw invalid("name", `"${wanted.slice(0, 80)}" is no volume name`, "Use a-z, 0-9, - and _.");
    const taken = new Set(
      this.options.store
        .all<{ name: string }>("select name from volumes where environment_id = $environmentId", {
          environmentId,
        })
        .map((row) => row.name),
    );
    if (!taken.has(wanted)) return wanted;
    if (exact) throw conflict("volume_exists", `a volume "${wanted}" exists already`);
    for (let n = 2; ; n++) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
  }

  private mounts(environmentId: string): MountRow[] {
    return this.options.store.all<MountRow>(
      `select m.volume_id, v.name, v.engine_name, m.process, m.path, m.read_only, v.created_at
       from mounts m join volumes v on v.id = m.volume_id where m.environment_id = $environmentId order by m.path`,
      { environmentId },
    );
  }
}

/** Places that a volume would break the container by hiding. */
const FORBIDDEN = /^\/(proc|sys|dev|etc|bin|sbin|usr|lib|lib64)?$|^\/(proc|sys|dev)\//;

function checkPath(path: string): string {
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (!/^\/[^\0\n:,]*$/.test(clean) || clean.split("/").includes("..") || clean.includes("//"))
    throw invalid("mount_path", "must be an absolute path without .. , colons or line breaks", "As in /data");
  if (FORBIDDEN.test(clean))
    throw invalid(
      "mount_path",
      `${clean} belongs to the container's system`,
      "Choose a directory of the app, as in /data",
    );
  return clean;
}

function body(row: MountRow): Volume {
  return {
    name: row.name,
    mount_path: row.path,
    process: row.process,
    read_only: row.read_only === 1,
    engine_name: row.engine_name,
    created_at: iso(row.created_at),
  };
}
