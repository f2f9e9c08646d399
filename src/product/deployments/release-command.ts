import { freeAddress } from "../../engine/network/address-plan.ts";
import type { ContainerRuntime, InstanceFacts } from "../../engine/runtime/container-runtime.ts";
import { PermanentError } from "../../errors.ts";
import type { JobLog } from "../../jobs/job-log.ts";
import type { Environment } from "../environments/environments.ts";
import { instanceSpec } from "../instances/instance-spec.ts";
import type { ReleaseRow } from "../releases/releases.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import { lastLines } from "./explain-failure.ts";

export interface ReleaseCommand {
  parts: DeploymentParts;
  runtime: ContainerRuntime;
  environment: Environment;
  release: ReleaseRow;
  deploymentId: string;
  signal: AbortSignal;
  log: JobLog;
}

export const RELEASE_PROCESS = "release";

/**
 * Runs the release command once. The container keeps its name and stays until the deployment is over, so that a
 * daemon killed in between finds it again instead of running a migration twice. Throws `release_command_failed`.
 */
export async function runReleaseCommand(work: ReleaseCommand): Promise<void> {
  const { runtime, signal, log } = work;
  const name = releaseContainer(work.deploymentId);
  const found = await runtime.inspect(name);
  if (found === null || found.state === "created") await runtime.start(specOf(work, name));
  const ended = await untilEnded(runtime, name, signal);
  for await (const line of runtime.logs(name, { tail: 500, signal })) log.line(`release: ${line.text}`);
  if (ended.exit_code === 0) return;
  throw new PermanentError("release_command_failed", `the release command exited with ${ended.exit_code}`, {
    detail: `The release command (${work.release.spec.release_command?.join(" ")}) ended with exit code ${ended.exit_code}${ended.oom_killed ? ", out of memory" : ""}. Traffic was not moved.`,
    evidence: await lastLines(runtime, name),
    hint: "Mend the command, or what it migrates, and deploy again.",
  });
}

export function releaseContainer(deploymentId: string): string {
  return `diplo-release-${deploymentId.toLowerCase()}`;
}

function specOf({ parts, environment, release, deploymentId }: ReleaseCommand, name: string) {
  const used = parts.instances
    .present(environment.id)
    .map((row) => ({ address: row.address, released_at: null }));
  const config = parts.config.values(environment, release.spec.config);
  const spec = instanceSpec(environment, release, config, {
    name,
    // Not recorded: nothing is ever routed to it, and the subnet's top end stays free of instances for long.
    address: freeAddress(environment.subnet, used),
    process: RELEASE_PROCESS,
    labels: { deployment: deploymentId },
  });
  return { ...spec, command: release.spec.release_command, restart: "no" as const, port: null };
}

async function untilEnded(
  runtime: ContainerRuntime,
  name: string,
  signal: AbortSignal,
): Promise<InstanceFacts> {
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 500)) {
    signal.throwIfAborted();
    const facts = await runtime.inspect(name);
    if (facts === null) throw new Error(`${name} has vanished`);
    if (facts.state === "exited" || facts.state === "dead") return facts;
    await Bun.sleep(waitMs);
  }
}
