import { freeAddress } from "../../engine/network/address-plan.ts";
import type { ContainerRuntime, InstanceFacts } from "../../engine/runtime/container-runtime.ts";
import { type FailureCode, PermanentError } from "../../errors.ts";
import type { JobLog } from "../../jobs/job-log.ts";
import type { Environment } from "../environments/environments.ts";
import { instanceSpec } from "../instances/instance-spec.ts";
import type { ReleaseRow } from "../releases/releases.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import { lastLines } from "./explain-failure.ts";
import { type Hook, hookLine } from "./hooks.ts";

export interface HookRun {
  parts: DeploymentParts;
  runtime: ContainerRuntime;
  environment: Environment;
  release: ReleaseRow;
  deploymentId: string;
  hook: Hook;
  signal: AbortSignal;
  log: JobLog;
}

const FAILED: Record<Hook["name"], { code: FailureCode; means: string }> = {
  release: { code: "release_command_failed", means: "Traffic was not moved." },
  post_deploy: { code: "post_deploy_failed", means: "The release is live all the same." },
};

/**
 * Runs a hook in the release's image, once for each deployment. Its container bears the deployment's id and stays
 * until the outcome is written down: a daemon that was killed meanwhile finds it, running or ended, and does not run
 * the command again. What a box does that loses its power in the middle nobody can promise: the command was begun,
 * and counts as failed. Throws `release_command_failed` or `post_deploy_failed`.
 */
export async function runHook(run: HookRun): Promise<void> {
  const { runtime, hook, signal, log } = run;
  const name = hookContainer(run.deploymentId, hook.name);
  const found = await runtime.inspect(name);
  if (found === null || found.state === "created") await runtime.start(specOf(run, name));
  else log.line(`${hook.name}: begun before, not begun again`);
  const timeoutMs = run.release.spec.settings.hook_timeout_s * 1000;
  const deadline = ((await runtime.inspect(name))?.started_at ?? Date.now()) + timeoutMs;
  const inTime = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
  const either = AbortSignal.any([signal, inTime]);
  for await (const line of runtime.logs(name, { follow: true, signal: either }))
    log.line(`${hook.name}: ${line.text}`);
  const ended = await untilEnded(runtime, name, either).catch((error) => {
    if (signal.aborted || !inTime.aborted) throw error;
    return null;
  });
  if (ended?.exit_code === 0) return;
  const evidence = await lastLines(runtime, name);
  if (ended === null) await runtime.stop(name, 1);
  throw failure(run, ended, evidence);
}

export function releaseHookContainer(deploymentId: string): string {
  return hookContainer(deploymentId, "release");
}

/** Every name that hooks of a deployment may have left a container by. */
export function hookContainers(deploymentId: string): string[] {
  return [hookContainer(deploymentId, "release"), hookContainer(deploymentId, "post_deploy")];
}

function hookContainer(deploymentId: string, hook: Hook["name"]): string {
  return `diplo-${hook.replace("_", "-")}-${deploymentId.toLowerCase()}`;
}

function failure(
  { hook, release }: HookRun,
  ended: InstanceFacts | null,
  evidence: string[],
): PermanentError {
  const { code, means } = FAILED[hook.name];
  const seconds = release.spec.settings.hook_timeout_s;
  const how =
    ended === null
      ? `did not end within ${seconds} seconds and was stopped`
      : `ended with exit code ${ended.exit_code}${ended.oom_killed ? ", out of memory" : ""}`;
  return new PermanentError(code, `the ${hook.name} command ${how}`, {
    detail: `The ${hook.name} command (${hookLine(hook)}, from ${hook.from}) ${how}. ${means}`,
    evidence,
    hint:
      ended === null
        ? "Let it do less, or allow it more: diplo apps:set --hook-timeout-s 1800"
        : hook.name === "release"
          ? "Mend the command, or what it migrates, and deploy again."
          : "It is not run again by itself: mend it and deploy again, or run it by hand with diplo run.",
  });
}

function specOf({ parts, environment, release, deploymentId, hook }: HookRun, name: string) {
  const used = parts.instances
    .present(environment.id)
    .flatMap(({ address }) => (address === null ? [] : [{ address, released_at: null }]));
  const config = parts.config.values(environment, release.spec.config);
  const spec = instanceSpec(environment, release, config, {
    name,
    // Not recorded: nothing is ever routed to it, and the subnet's top end stays free of instances for long.
    address: freeAddress(environment.subnet, used),
    process: hook.name,
    labels: { deployment: deploymentId },
  });
  return { ...spec, command: hook.command, restart: "no" as const, port: null };
}

async function untilEnded(
  runtime: ContainerRuntime,
  name: string,
  signal: AbortSignal,
): Promise<InstanceFacts> {
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 500)) {
    const facts = await runtime.inspect(name);
    if (facts === null) throw new Error(`${name} has vanished`);
    if (facts.state === "exited" || facts.state === "dead") return facts;
    signal.throwIfAborted();
    await Bun.sleep(waitMs);
  }
}
