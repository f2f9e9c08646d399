import { rm } from "node:fs/promises";
import { ulid } from "ulid";
import { buildInput } from "../../../engine/build/build-input.ts";
import type { BuildPlan } from "../../../engine/build/plan.ts";
import { SECRETS_VERSION } from "../../../engine/build/render-dockerfile.ts";
import { FILES_STAGE, isPlainTree } from "../../../engine/build/static-files.ts";
import type { BuildLine, ImageFacts } from "../../../engine/runtime/container-runtime.ts";
import { PermanentError } from "../../../errors.ts";
import type { ErrorRecord, Step } from "../../../jobs/job.ts";
import type { JobLog } from "../../../jobs/job-log.ts";
import { type Environment, refOf } from "../../environments/environments.ts";
import {
  containerReason,
  type SiteWork,
  siteFromImage,
  siteFromTree,
  siteName,
  siteWarning,
} from "../build-site.ts";
import { pick } from "../build-values.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { addWarning } from "../deployment-warnings.ts";
import { checkoutOf, workDirectory } from "./fetch-step.ts";

/** Turns plan and tree into an image; finds the one an earlier, killed attempt finished. */
export function buildStep(parts: DeploymentParts): Step<DeploymentState> {
  const timeoutMs = (state: DeploymentState) =>
    parts.environments.byId(state.environment_id).settings.build_timeout_s * 1000;
  return {
    deadlineMs: (state) => timeoutMs(state) + 5000,
    attempts: 3,
    onDeadline: (state) =>
      new PermanentError("build_timeout", "the build took too long", {
        detail: `The build did not end within ${timeoutMs(state) / 1000} seconds.`,
        hint: `Look at what it waits for in the log, or allow more: diplo apps:set -a ${refOf(parts.environments.byId(state.environment_id))} --build-timeout-s 3600`,
      }),
    async run({ state, signal, log, progress }) {
      const environment = parts.environments.byId(state.environment_id);
      const volumes = parts.volumes.releaseMounts(environment.id).length;
      const work = { parts, environment, state, signal, log, progress };
      const isSite = containerReason(state.plan as BuildPlan, environment.settings, volumes) === null;
      const built = isSite ? await buildSite(work) : await buildImage(work);
      await rm(workDirectory(parts, state), { recursive: true, force: true });
      const buildId = ulid();
      return {
        next: "releasing",
        state: { build_id: buildId },
        evidence: {
          image: built.image?.id ?? null,
          size_bytes: built.image?.size_bytes ?? 0,
          site: built.site,
        },
        apply: () => {
          parts.store.run(
            `insert into builds (id, environment_id, source_id, plan, config, architecture, image_tag, image_id, site,
               created_at)
             values ($id, $environmentId, $sourceId, $plan, $config, $architecture, $tag, $imageId, $site, $now)`,
            {
              id: buildId,
              environmentId: environment.id,
              sourceId: state.source_id ?? null,
              plan: JSON.stringify(state.plan),
              config: JSON.stringify(state.build_config ?? {}),
              architecture: built.image?.architecture ?? ANY,
              tag: built.tag,
              imageId: built.image?.id ?? null,
              site: built.site,
              now: Date.now(),
            },
          );
          parts.store.run("update deployments set build_id = $buildId where id = $id", {
            buildId,
            id: state.deployment_id,
          });
          if (built.warning) addWarning(parts, state.deployment_id, built.warning);
          return undefined;
        },
      };
    },
  };
}

interface Work {
  parts: DeploymentParts;
  environment: Environment;
  state: Readonly<DeploymentState>;
  signal: AbortSignal;
  log: JobLog;
  progress: (message: string, fraction?: number) => void;
}

/** What a build made: an image, files for the proxy, or files out of an image. */
interface Built {
  tag: string | null;
  image: ImageFacts | null;
  site: string | null;
  warning: ErrorRecord | null;
}

/** Files run on every machine. */
const ANY = "any";

async function buildImage(work: Work): Promise<Built> {
  return { ...(await findOrBuild(work, null)), site: null, warning: null };
}

async function buildSite(work: Work): Promise<Built> {
  const { parts, environment, state, signal, log, progress } = work;
  const plan = state.plan as BuildPlan;
  const name = siteName(state.deployment_id);
  const site: SiteWork = {
    parts,
    plan,
    settings: environment.settings,
    name,
    options: { signal, like: parts.releases.current(environment.id)?.spec.site ?? null },
  };
  const { tag, image } = isPlainTree(plan)
    ? { tag: null, image: null }
    : await findOrBuild(work, FILES_STAGE);
  progress("writing the files for the proxy");
  const { manifest, warnings } =
    image === null
      ? await siteFromTree(site, state.tree as string)
      : await siteFromImage(site, { runtime: await parts.runtimes.usable(), environment, image: image.id });
  for (const warning of warnings) log.line(`note: ${warning}`);
  log.line(`${Object.keys(manifest.files).length} files, compressed where it is worth it`);
  return { tag, image, site: name, warning: siteWarning(warnings) };
}

/** `stage`: of a plan's own Dockerfile, instead of the last one. */
async function findOrBuild(
  { parts, environment, state, signal, log, progress }: Work,
  stage: string | null,
): Promise<{ tag: string; image: ImageFacts }> {
  const runtime = await parts.runtimes.usable();
  const tag = runtime.imageTag(environment.app, state.deployment_id);
  const found = await runtime.image(tag);
  if (found) return { tag, image: found };
  if (state.image) throw pulledImageGone(state.image.name);
  const plan = state.plan as BuildPlan;
  progress("building the image");
  const { build } = environment.settings;
  await parts.vault.ready();
  const values = parts.config.values(environment, state.build_config ?? {});
  const secrets = pick(values, plan.secrets);
  await runtime.build(
    {
      ...(await buildInput(plan, checkoutOf(state), environment.app_id)),
      tag,
      labels: {
        "diplo.app": environment.app,
        "diplo.environment": environment.name,
        "diplo.deployment": state.deployment_id,
      },
      args: {
        ...build.args,
        ...pick(values, plan.public_args),
        ...(plan.secrets.length > 0 && { [SECRETS_VERSION]: versionsOf(plan.secrets, environment, state) }),
      },
      target: plan.dockerfile_path === null ? stage : build.target,
      platform: build.platform,
      secrets,
      registries: await parts.registries.all(),
      no_cache: state.request.clear_cache || !build.cache || secretsChanged(parts, environment, state),
      deadline_ms: environment.settings.build_timeout_s * 1000,
    },
    (line) => {
      log.line(buildLine(line));
      progress(line.text.slice(0, 200));
    },
    signal,
  );
  const built = await runtime.image(tag);
  if (!built) throw new Error(`the engine reports success, but ${tag} does not exist`);
  parts.log.info("image built", { app: environment.app, image: built.id });
  return { tag, image: built };
}

/**
 * What BuildKit compares instead of the secrets themselves, e.g. `01J…:NPM_TOKEN@3`. Its cache is the whole engine's:
 * without the environment, what was made with the secret of one app would be taken for another's of the same code.
 */
function versionsOf(names: string[], { id }: Environment, { build_config = {} }: DeploymentState): string {
  return `${id}:${names.map((name) => `${name}@${build_config[name] ?? 0}`).join(",")}`;
}

/** Or are new here. A Dockerfile of the person's own need not name the argument that says so. */
function secretsChanged(
  { store }: DeploymentParts,
  { id }: Environment,
  { plan, build_config = {} }: DeploymentState,
): boolean {
  if (!plan?.dockerfile_path || plan.secrets.length === 0) return false;
  const last = store.get<{ config: string | null }>(
    "select config from builds where environment_id = $id order by id desc limit 1",
    { id },
  );
  const before = JSON.parse(last?.config ?? "{}") as Record<string, number>;
  return plan.secrets.some((name) => before[name] !== build_config[name]);
}

function pulledImageGone(name: string): PermanentError {
  return new PermanentError("image_not_found", `${name} was pulled and is gone`, {
    detail: `The image ${name} that was just pulled does not exist any more.`,
    hint: "Something else removed it; deploy again.",
  });
}

function buildLine(line: BuildLine): string {
  if (line.done) {
    const how = line.done.error
      ? `failed: ${line.done.error}`
      : line.done.cached
        ? "cached"
        : `${(line.done.duration_ms / 1000).toFixed(1)} s`;
    return `${line.text} … ${how}`;
  }
  return line.stream === "step" ? line.text : `    ${line.text}`;
}
