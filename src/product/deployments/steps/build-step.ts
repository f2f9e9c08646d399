import { rm } from "node:fs/promises";
import { ulid } from "ulid";
import { buildInput } from "../../../engine/build/build-input.ts";
import type { BuildPlan } from "../../../engine/build/plan.ts";
import type { BuildLine, ContainerRuntime, ImageFacts } from "../../../engine/runtime/container-runtime.ts";
import { PermanentError } from "../../../errors.ts";
import type { Step } from "../../../jobs/job.ts";
import type { JobLog } from "../../../jobs/job-log.ts";
import { type Environment, refOf } from "../../environments/environments.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
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
      const runtime = await parts.runtimes.usable();
      const tag = runtime.imageTag(environment.app, state.deployment_id);
      const built = await findOrBuild({ parts, runtime, environment, state, tag, signal, log, progress });
      await rm(workDirectory(parts, state), { recursive: true, force: true });
      const buildId = ulid();
      return {
        next: "releasing",
        state: { build_id: buildId },
        evidence: { image: built.id, size_bytes: built.size_bytes },
        apply: () => {
          parts.store.run(
            `insert into builds (id, environment_id, source_id, plan, architecture, image_tag, image_id, created_at)
             values ($id, $environmentId, $sourceId, $plan, $architecture, $tag, $imageId, $now)`,
            {
              id: buildId,
              environmentId: environment.id,
              sourceId: state.source_id ?? null,
              plan: JSON.stringify(state.plan),
              architecture: built.architecture,
              tag,
              imageId: built.id,
              now: Date.now(),
            },
          );
          parts.store.run("update deployments set build_id = $buildId where id = $id", {
            buildId,
            id: state.deployment_id,
          });
          return undefined;
        },
      };
    },
  };
}

interface Work {
  parts: DeploymentParts;
  runtime: ContainerRuntime;
  environment: Environment;
  state: Readonly<DeploymentState>;
  tag: string;
  signal: AbortSignal;
  log: JobLog;
  progress: (message: string, fraction?: number) => void;
}

async function findOrBuild({
  parts,
  runtime,
  environment,
  state,
  tag,
  signal,
  log,
  progress,
}: Work): Promise<ImageFacts> {
  const found = await runtime.image(tag);
  if (found) return found;
  if (state.image) throw pulledImageGone(state.image.name);
  const plan = state.plan as BuildPlan;
  progress("building the image");
  await runtime.build(
    {
      ...(await buildInput(plan, checkoutOf(state), environment.app_id)),
      tag,
      labels: {
        "diplo.app": environment.app,
        "diplo.environment": environment.name,
        "diplo.deployment": state.deployment_id,
      },
      args: {},
      target: plan.dockerfile_path === null ? null : environment.settings.build.target,
      secrets: {},
      registries: await parts.registries.all(),
      no_cache: state.request.clear_cache,
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
  return built;
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
