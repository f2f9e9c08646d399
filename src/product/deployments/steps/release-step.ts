import type { BuildPlan } from "../../../engine/build/plan.ts";
import type { ContainerRuntime, ImageFacts } from "../../../engine/runtime/container-runtime.ts";
import { DiploError, PermanentError } from "../../../errors.ts";
import type { Step } from "../../../jobs/job.ts";
import type { JobLog } from "../../../jobs/job-log.ts";
import type { Environment } from "../../environments/environments.ts";
import { networkOf } from "../../environments/environments.ts";
import { ofRelease, type ReleaseSpec } from "../../releases/release-spec.ts";
import type { BuildArtifacts, ReleaseRow } from "../../releases/releases.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState, Trigger } from "../deployment-state.ts";
import { addWarning } from "../deployment-warnings.ts";
import { releaseHookOf } from "../hooks.ts";
import { runHook } from "../run-hook.ts";
import { staleBuild } from "../stale-build.ts";
import { wantedInstances } from "../wanted-instances.ts";

const DEFAULT_PORT = 8080;

/**
 * Writes the release, runs its release command once in the new image, and records the instances that are to serve.
 * The release is written first, in a transaction of its own, because the command needs its number.
 */
export function releaseStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: ({ environment_id }) =>
      parts.environments.byId(environment_id).settings.hook_timeout_s * 1000 + 5 * 60_000,
    async run({ state, signal, log, progress }) {
      await parts.vault.ready();
      const known = parts.environments.byId(state.environment_id);
      const release = await findOrWrite({ parts, environment: known, state });
      // Files need nothing of the engine.
      const environment =
        release.spec.site === null
          ? await readyEngine({ parts, environment: known, release, state, signal, log, progress })
          : known;
      return {
        next: "starting",
        state: { release_id: release.id },
        evidence: { release: release.number },
        apply: () => ({ wanted: wantedInstances(parts, environment, release, state) }),
      };
    },
  };
}

interface EngineWork extends Work {
  release: ReleaseRow;
  signal: AbortSignal;
  log: JobLog;
  progress: (message: string) => void;
}

/** Network and volumes are there, and the release command has run. Answers the environment, whose network may move. */
async function readyEngine({
  parts,
  release,
  state,
  signal,
  log,
  progress,
  ...work
}: EngineWork): Promise<Environment> {
  const runtime = await parts.runtimes.usable();
  const environment = await withNetwork(parts, runtime, work.environment);
  for (const mount of release.spec.mounts)
    await runtime.ensureVolume(mount.volume, {
      app: environment.app,
      environment: environment.name,
      environment_id: environment.id,
    });
  const hook = release.live_at === null ? releaseHookOf(release.spec) : null;
  if (hook) {
    progress("running the release command");
    const { deployment_id: deploymentId } = state;
    await runHook({ parts, runtime, environment, release, deploymentId, hook, signal, log });
  }
  return environment;
}

/** Somebody else may have taken the subnet since it was chosen; while nothing runs in it, another is as good. */
async function withNetwork(
  parts: DeploymentParts,
  runtime: ContainerRuntime,
  environment: Environment,
): Promise<Environment> {
  try {
    await runtime.ensureNetwork(networkOf(environment));
    return environment;
  } catch (error) {
    const isTaken = error instanceof DiploError && error.code === "subnet_taken";
    if (!isTaken || parts.instances.present(environment.id).length > 0) throw error;
    const moved = await parts.environments.moveSubnet(environment.id);
    await runtime.ensureNetwork(networkOf(moved));
    return moved;
  }
}

interface Work {
  parts: DeploymentParts;
  environment: Environment;
  state: DeploymentState;
}

async function findOrWrite(work: Work): Promise<ReleaseRow> {
  const { parts, state } = work;
  const recorded = parts.store.get<{ release_id: string | null }>(
    "select release_id from deployments where id = $id",
    {
      id: state.deployment_id,
    },
  )?.release_id;
  if (recorded) return parts.releases.byId(recorded);
  const from = state.request.source === null ? baseRelease(work) : null;
  const built = from ? null : await builtAs(work);
  return parts.store.transaction(() => {
    const keeps = from !== null && KEEPING.has(state.request.trigger) && !hasDrifted(work, from);
    const release = keeps ? from : write(work, from, built);
    parts.store.run("update deployments set release_id = $releaseId, build_id = $buildId where id = $id", {
      releaseId: release.id,
      buildId: release.build_id,
      id: state.deployment_id,
    });
    return release;
  });
}

/** These keep the release that serves, unless config, settings or volumes were changed since it was made. */
const KEEPING: ReadonlySet<string> = new Set<Trigger>(["restart", "scale", "start"]);

/** What serves now, and not when it was asked for: another deployment may have gone live meanwhile. */
function baseRelease({ parts, environment, state }: Work): ReleaseRow {
  const wanted = state.request.from_release_id;
  const release = wanted === null ? parts.releases.current(environment.id) : parts.releases.byId(wanted);
  if (release) return release;
  throw new PermanentError("never_deployed", `${environment.app} has no release to change`, {
    detail: "There is no release yet that this change could be made to.",
    hint: "It counts from the next deployment on.",
  });
}

function hasDrifted({ parts, environment }: Work, { spec }: ReleaseRow): boolean {
  const now = {
    config: parts.config.versions(environment.id),
    mounts: parts.volumes.releaseMounts(environment.id),
    settings: ofRelease(parts.environments.byId(environment.id).settings),
  };
  const then = { config: spec.config, mounts: spec.mounts, settings: ofRelease(spec.settings) };
  return !Bun.deepEquals(now, then);
}

/** What the build of this deployment is run as: files that the proxy serves, or an image. */
type Built = { site: string } | { site: null; image: ImageFacts };

async function builtAs({ parts, environment, state }: Work): Promise<Built> {
  const build = parts.store.get<Omit<BuildArtifacts, "id">>(
    "select image_tag, site from builds where id = $id",
    { id: state.build_id ?? "" },
  );
  if (build?.site) return { site: build.site };
  const tag = build?.image_tag;
  const image = tag && (await (await parts.runtimes.usable()).image(tag));
  if (!image)
    throw new PermanentError("image_not_found", `the image of ${environment.app} is gone`, {
      detail: "The image that was just built does not exist any more.",
      hint: "Something else removed it; deploy again.",
    });
  // A pulled image may have names of a person's too.
  return { site: null, image: { ...image, tags: [tag] } };
}

function write(
  { parts, environment, state }: Work,
  from: ReleaseRow | null,
  built: Built | null,
): ReleaseRow {
  const { request, by } = state;
  if (request.trigger === "rollback" && from) goBack(parts, environment, from, by);
  const image = built?.site === null ? built.image : null;
  if (image) parts.volumes.ensureDeclared(environment, [...image.volumes, ...(state.plan?.volumes ?? [])]);
  const now = parts.environments.byId(environment.id);
  const base = built
    ? fromPlan(state.plan as BuildPlan, built, now, commitOf(parts, state))
    : (from as ReleaseRow).spec;
  const spec: ReleaseSpec = {
    ...base,
    port: now.settings.port ?? base.port,
    settings: now.settings,
    config: parts.config.versions(environment.id),
    mounts: parts.volumes.releaseMounts(environment.id),
  };
  refuseNoCommand(spec, image);
  if (from) tellIfStale(parts, environment, from, state);
  return parts.releases.create({
    environment,
    spec,
    buildId: state.build_id ?? (from as ReleaseRow).build_id,
    fromReleaseId: request.trigger === "rollback" ? (from?.id ?? null) : null,
    createdBy: by,
  });
}

/** Config that the build had to see does not change by a release of what was built before. */
function tellIfStale(
  parts: DeploymentParts,
  environment: Environment,
  from: ReleaseRow,
  { deployment_id }: DeploymentState,
): void {
  const warning = staleBuild(parts, environment, from);
  if (warning) addWarning(parts, deployment_id, warning);
}

/** A rollback brings back the old release's config and settings with its image; what is not a release's stays as it is. */
function goBack(parts: DeploymentParts, environment: Environment, from: ReleaseRow, by: string): void {
  parts.config.restore(environment, from.spec.config, by);
  const { settings } = parts.environments.byId(environment.id);
  parts.environments.changeSettings(environment.id, { ...settings, ...ofRelease(from.spec.settings) });
}

function fromPlan(
  plan: BuildPlan,
  built: Built,
  environment: Environment,
  commit: string | null,
): ReleaseSpec {
  const image = built.site === null ? built.image : null;
  const exposed = image?.exposed_ports.length === 1 ? image.exposed_ports[0] : undefined;
  return {
    image: image && { tag: image.tags[0] ?? image.id, id: image.id, ...pinnedOf(plan) },
    site: built.site,
    provider: plan.provider,
    hardened: plan.hardened,
    processes: image ? plan.processes : { web: { command: null, from: servedFrom(plan) } },
    release_command: plan.release_command?.value ?? null,
    release_from: plan.release_command?.from,
    post_deploy: plan.post_deploy,
    // What the plan sets is ENV of the image already, where $PATH and the like were filled in.
    env: {},
    config: {},
    port: environment.settings.port ?? plan.port?.value ?? exposed ?? DEFAULT_PORT,
    settings: environment.settings,
    mounts: [],
    commit,
  };
}

/** In place of a command's origin: which files are served, and who said so. */
function servedFrom({ static: files }: BuildPlan): string {
  return files ? `files in ${files.root.value} (${files.root.from})` : "files";
}

/** Of an image that was pulled: what it was pulled as. */
function pinnedOf({ provider, run_image }: BuildPlan): { pinned?: string } {
  return provider === "image" && run_image ? { pinned: run_image.value } : {};
}

function refuseNoCommand(spec: ReleaseSpec, image: ImageFacts | null): void {
  if (!image || image.command.length > 0 || image.entrypoint.length > 0) return;
  const without = Object.entries(spec.processes).find(([, process]) => process.command === null);
  if (!without) return;
  throw new PermanentError("no_start_command", `process ${without[0]} has no command`, {
    detail: "Nothing says how to start this app: its image has no CMD and no ENTRYPOINT.",
    hint: spec.image?.pinned
      ? "Use an image with a CMD, or deploy a Dockerfile of your own with FROM this image and a CMD line."
      : "Add CMD to the Dockerfile, or a Procfile with a line `web: …`.",
  });
}

function commitOf(parts: DeploymentParts, state: DeploymentState): string | null {
  return (
    parts.store.get<{ commit_sha: string | null }>("select commit_sha from sources where id = $id", {
      id: state.source_id ?? "",
    })?.commit_sha ?? null
  );
}
