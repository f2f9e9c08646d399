import { DONE, type Step } from "../../../jobs/job.ts";
import type { Environment } from "../../environments/environments.ts";
import type { ReleaseRow } from "../../releases/releases.ts";
import { probeFailed } from "../../routes/routes.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { enqueueDrain } from "../drain-job.ts";
import { type Hook, postDeployHook } from "../hooks.ts";

const PROBE_DEADLINE_MS = 10_000;

/**
 * Moves the traffic: commits what is meant to serve, pushes the routes, waits for the acknowledgement and sees for
 * itself, through the proxy, which instance answers. Then the deployment is live.
 */
export function routeStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 60_000,
    attempts: 5,
    async run({ state, signal, log, progress }) {
      const environment = parts.environments.byId(state.environment_id);
      const release = parts.releases.byId(state.release_id as string);
      progress("moving the traffic");
      shift(parts, environment, release, state);
      await parts.routes.publish();
      await seeThroughProxy(parts, environment, release, state, signal);
      log.line(`v${release.number} is live`);
      const hook = postDeploy(parts, environment, release);
      return {
        next: hook ? "finishing" : DONE,
        state: { is_live: true, ...(hook && { post_deploy: hook }) },
        apply: () => goLive(parts, environment, release, state),
      };
    },
  };
}

/** What is to run now that it is live; a release that was live before has had its own. */
function postDeploy(
  parts: DeploymentParts,
  environment: Environment,
  { spec, live_at }: ReleaseRow,
): Hook | null {
  if (live_at !== null) return null;
  const isFirst = parts.releases.lastLive(environment.id) === null;
  return postDeployHook(spec.settings.hooks, spec.post_deploy ?? null, isFirst);
}

/** Commits what is meant to serve. */
function shift(
  parts: DeploymentParts,
  environment: Environment,
  release: ReleaseRow,
  state: DeploymentState,
): void {
  const wanted = new Set(state.wanted);
  parts.store.transaction(() => {
    parts.store.run("delete from traffic where environment_id = $id", { id: environment.id });
    for (const process of Object.keys(release.spec.processes))
      parts.store.run(
        "insert into traffic (environment_id, process, release_id, weight) values ($id, $process, $releaseId, 100)",
        { id: environment.id, process, releaseId: release.id },
      );
    for (const row of parts.instances.present(environment.id))
      parts.instances.setRouted([row.id], wanted.has(row.id) && row.process === "web");
  });
}

async function seeThroughProxy(
  parts: DeploymentParts,
  environment: Environment,
  release: ReleaseRow,
  state: DeploymentState,
  signal: AbortSignal,
): Promise<void> {
  const web = parts.instances.byIds(state.wanted ?? []).filter((row) => row.process === "web");
  if (web.length === 0) return;
  const { health } = release.spec.settings;
  const path = health.type === "http" ? health.path : "/";
  const deadline = Date.now() + PROBE_DEADLINE_MS;
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 500)) {
    signal.throwIfAborted();
    const got = await parts.routes.probe(environment, path, health.timeout_s * 1000);
    const ours = web.some((row) => row.id === got.instance);
    if (ours && (health.type !== "http" || got.status < 500)) return;
    if (Date.now() > deadline) throw probeFailed(got);
    await Bun.sleep(waitMs);
  }
}

/** In the transaction that ends the deployment: the release is live, what it replaced begins to drain. */
function goLive(
  parts: DeploymentParts,
  environment: Environment,
  release: ReleaseRow,
  state: DeploymentState,
): undefined {
  const wanted = new Set(state.wanted);
  parts.releases.markLive(release.id);
  const { source } = state.request;
  if (source !== null) parts.environments.setSource(environment.id, source);
  const old = parts.instances.present(environment.id).filter((row) => !wanted.has(row.id));
  parts.instances.retire(
    old.map((row) => row.id),
    Date.now() + environment.settings.drain_s * 1000,
  );
  enqueueDrain(
    parts,
    environment,
    old.map((row) => row.id),
    state.deployment_id,
  );
}
