import type { Environment } from "../environments/environments.ts";
import type { InstanceRow } from "../instances/instance-rows.ts";
import type { ReleaseRow } from "../releases/releases.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentState } from "./deployment-state.ts";

/**
 * The ids of the instances that are to serve: those of the release that run already and may stay, and new rows for
 * the rest. Inside a transaction.
 */
export function wantedInstances(
  parts: DeploymentParts,
  environment: Environment,
  release: ReleaseRow,
  state: DeploymentState,
): string[] {
  const present = parts.instances.present(environment.id);
  const wanted: string[] = [];
  for (const [process, quantity] of quantities(parts, environment, release, state))
    for (let slot = 1; slot <= quantity; slot++) {
      const kept = present.find(
        (row) => mayStay(row, release, state) && row.process === process && row.slot === slot,
      );
      const row =
        kept ??
        parts.instances.add({
          environment,
          releaseId: release.id,
          deploymentId: state.deployment_id,
          process,
          slot,
          site: release.spec.site,
        });
      wanted.push(row.id);
    }
  return wanted;
}

function mayStay(row: InstanceRow, release: ReleaseRow, state: DeploymentState): boolean {
  const ours = row.deployment_id === state.deployment_id;
  return row.release_id === release.id && row.desired === "running" && (ours || !state.request.fresh);
}

/** Files are served once, however often a container of theirs was wanted. */
function times({ spec }: ReleaseRow, quantity: number): number {
  return spec.site === null ? quantity : Math.min(1, quantity);
}

/**
 * Wanted numbers by process. The first deployment starts what app.json's formation says, else `web`, or everything
 * when there is no web process.
 */
function quantities(
  parts: DeploymentParts,
  environment: Environment,
  release: ReleaseRow,
  state: DeploymentState,
): [string, number][] {
  const names = Object.keys(release.spec.processes);
  const hasWeb = names.includes("web");
  return names.map((name) => {
    const row = parts.store.get<{ quantity: number }>(
      "select quantity from processes where environment_id = $id and name = $name",
      { id: environment.id, name },
    );
    if (row) return [name, times(release, row.quantity)];
    const quantity = state.plan?.formation?.[name]?.quantity ?? (name === "web" || !hasWeb ? 1 : 0);
    parts.store.run("insert into processes (environment_id, name, quantity) values ($id, $name, $quantity)", {
      id: environment.id,
      name,
      quantity,
    });
    return [name, quantity];
  });
}
