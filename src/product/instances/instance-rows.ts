import { ulid } from "ulid";
import { freeAddress } from "../../engine/network/address-plan.ts";
import type { InstanceFacts } from "../../engine/runtime/container-runtime.ts";
import type { Store } from "../../store/store.ts";
import type { Environment } from "../environments/environments.ts";

export interface InstanceRow {
  id: string;
  environment_id: string;
  release_id: string;
  deployment_id: string;
  process: string;
  slot: number;
  node_id: string;
  name: string;
  /** null for a site. */
  address: string | null;
  /** What the proxy serves in its place; null = a container runs. */
  site: string | null;
  host_port: number | null;
  container_id: string | null;
  /** `stopped` = asleep: it keeps its container and its address, and the next request starts it again. */
  desired: "running" | "stopped" | "removed";
  observed: "starting" | "running" | "unhealthy" | "stopping" | "stopped" | "crashed";
  routed: number;
  restarts: number;
  drain_until: number | null;
  last_exit: string | null;
  created_at: number;
  released_at: number | null;
}

/** Something runs at the engine for it; otherwise the proxy serves files. */
export function isContainer({ site }: InstanceRow): boolean {
  return site === null;
}

/** As it lies in `instances.last_exit`. `at` in Unix milliseconds. */
export interface LastExit {
  exit_code: number;
  oom_killed: boolean;
  at: number;
}

export interface Wanted {
  environment: Environment;
  releaseId: string;
  deploymentId: string;
  process: string;
  slot: number;
  /** Files for the proxy to serve; null = a container is to run. */
  site: string | null;
}

/** The rows behind instances: the recorded intent that the engine is made to follow. */
export class InstanceRows {
  constructor(
    private readonly store: Store,
    private readonly nodeId: () => string,
  ) {}

  /** Records an instance that is to run, a container's with an address of its own. Inside a transaction. */
  add({ environment, releaseId, deploymentId, process, slot, site }: Wanted): InstanceRow {
    const id = ulid();
    const used = this.store.all<{ address: string; released_at: number | null }>(
      `select address, case when count(*) filter (where released_at is null) > 0 then null else max(released_at) end
       as released_at from instances where environment_id = $id and address is not null group by address`,
      { id: environment.id },
    );
    const address = site === null ? freeAddress(environment.subnet, used) : null;
    this.store.run(
      `insert into instances (id, environment_id, release_id, deployment_id, process, slot, node_id, name, address,
         site, desired, observed, created_at)
       values ($id, $environmentId, $releaseId, $deploymentId, $process, $slot, $nodeId, $name, $address,
         $site, 'running', 'starting', $now)`,
      {
        id,
        environmentId: environment.id,
        releaseId,
        deploymentId,
        process,
        slot,
        nodeId: this.nodeId(),
        name: `diplo-${environment.app}-${environment.name === "production" ? "" : `${environment.name}-`}${process}-${slot}-${id.slice(-8).toLowerCase()}`,
        address,
        site,
        now: Date.now(),
      },
    );
    return this.byId(id) as InstanceRow;
  }

  byId(id: string): InstanceRow | null {
    return this.store.get<InstanceRow>("select * from instances where id = $id", { id });
  }

  byIds(ids: string[]): InstanceRow[] {
    return ids.map((id) => this.byId(id)).filter((row) => row !== null);
  }

  /** Those that are not gone yet. */
  present(environmentId: string): InstanceRow[] {
    return this.store.all<InstanceRow>(
      "select * from instances where environment_id = $environmentId and released_at is null order by process, slot, id",
      { environmentId },
    );
  }

  allPresent(): InstanceRow[] {
    return this.store.all<InstanceRow>("select * from instances where released_at is null order by id");
  }

  ofDeployment(deploymentId: string): InstanceRow[] {
    return this.store.all<InstanceRow>(
      "select * from instances where deployment_id = $deploymentId and released_at is null order by process, slot",
      { deploymentId },
    );
  }

  /** Writes down what the engine showed; nothing when nothing changed, so that watching costs no disk writes. */
  observe(row: InstanceRow, observed: InstanceRow["observed"], facts: InstanceFacts | null): void {
    const lastExit =
      facts?.exit_code != null && facts.state !== "running"
        ? JSON.stringify({
            exit_code: facts.exit_code,
            oom_killed: facts.oom_killed,
            at: facts.finished_at ?? Date.now(),
          } satisfies LastExit)
        : null;
    const next = {
      id: row.id,
      observed,
      containerId: facts?.container_id ?? row.container_id,
      hostPort: facts?.host_port ?? row.host_port,
      restarts: facts?.restart_count ?? row.restarts,
      lastExit,
    };
    if (
      next.observed === row.observed &&
      next.containerId === row.container_id &&
      next.restarts === row.restarts &&
      (lastExit === null || lastExit === row.last_exit) &&
      next.hostPort === row.host_port
    )
      return;
    this.store.run(
      `update instances set observed = $observed, container_id = $containerId, host_port = $hostPort,
       restarts = $restarts, last_exit = coalesce($lastExit, last_exit) where id = $id`,
      next,
    );
  }

  /** How it ended, told by the engine as it happened; of one that was to end it is nothing worth keeping. */
  exited(id: string, exit: LastExit): void {
    this.store.run(
      "update instances set last_exit = $exit where id = $id and desired = 'running' and released_at is null",
      { id, exit: JSON.stringify(exit) },
    );
  }

  setRouted(ids: string[], routed: boolean): void {
    for (const id of ids)
      this.store.run("update instances set routed = $routed where id = $id", { id, routed: routed ? 1 : 0 });
  }

  /** Those that sleep, or are just being put to sleep or woken. */
  asleep(environmentId: string): InstanceRow[] {
    return this.present(environmentId).filter((row) => row.desired === "stopped");
  }

  /** They leave service and keep their place. */
  putToSleep(ids: string[]): void {
    for (const id of ids)
      this.store.run(
        "update instances set desired = 'stopped', routed = 0 where id = $id and desired = 'running'",
        { id },
      );
  }

  /** They serve again, if they sleep still. */
  wake(ids: string[], observed: "running" | "crashed"): void {
    for (const id of ids)
      this.store.run(
        `update instances set desired = 'running', routed = 1, observed = $observed
         where id = $id and desired = 'stopped'`,
        { id, observed },
      );
  }

  /** They leave service now and are gone once drained. */
  retire(ids: string[], drainUntil: number): void {
    for (const id of ids)
      this.store.run(
        "update instances set desired = 'removed', routed = 0, observed = 'stopping', drain_until = $drainUntil where id = $id",
        { id, drainUntil },
      );
  }

  /** The container is gone; its address rests. */
  release(id: string): void {
    this.store.run(
      `update instances set released_at = coalesce(released_at, $now), routed = 0, desired = 'removed',
       observed = 'stopped' where id = $id`,
      { id, now: Date.now() },
    );
  }
}
