import type { ContainerRuntime, InstanceFacts } from "../../engine/runtime/container-runtime.ts";
import { PermanentError } from "../../errors.ts";
import type { InstanceRow } from "../instances/instance-rows.ts";
import type { ReleaseSpec } from "../releases/release-spec.ts";
import type { ProbeResult } from "./probe.ts";

const LINES = 20;

export interface Patient {
  runtime: ContainerRuntime;
  row: InstanceRow;
  spec: ReleaseSpec;
  /** As commands name it. */
  app: string;
}

/** Why an instance that ended did so (capabilities C12), with its last lines. */
export async function explainExit(
  { runtime, row, spec, app }: Patient,
  facts: InstanceFacts,
): Promise<PermanentError> {
  const evidence = await lastLines(runtime, row.name);
  const who = `${row.process}.${row.slot}`;
  if (facts.oom_killed)
    return new PermanentError("oom_killed", `${who} was killed: out of memory`, {
      detail: `The ${row.process} process needed more than its ${spec.settings.limits.memory} of memory and was killed.`,
      hint: `Give it more: diplo apps:set -a ${app} --limits.memory 1g`,
      evidence,
    });
  if (facts.error)
    return new PermanentError("exit_nonzero", `${who} could not start: ${facts.error}`, {
      detail: `The engine could not start the ${row.process} process: ${facts.error}`,
      hint: "Check the start command in the Procfile or Dockerfile.",
      evidence,
    });
  const refusal = commandRefusal(facts, evidence);
  if (refusal)
    return new PermanentError("no_start_command", `${who}: its command cannot be run`, {
      detail: `The ${row.process} process could not be started: its command ${refusal}.`,
      hint: "Check the start command in the Procfile, package.json or Dockerfile.",
      evidence,
    });
  if (facts.restart_count > 1)
    return new PermanentError("crash_loop", `${who} crashed ${facts.restart_count + 1} times`, {
      detail: `The ${row.process} process keeps ending right after its start (exit code ${facts.exit_code ?? "unknown"}).`,
      hint: lookAt(evidence),
      evidence,
    });
  return new PermanentError("exit_nonzero", `${who} exited with ${facts.exit_code}`, {
    detail:
      facts.exit_code === 0
        ? `The ${row.process} process ended by itself (exit code 0) instead of staying up.`
        : `The ${row.process} process ended with exit code ${facts.exit_code}.`,
    hint: facts.exit_code === 0 ? "Its start command must keep running in the foreground." : lookAt(evidence),
    evidence,
  });
}

const lookAt = (evidence: string[]): string =>
  evidence.length > 0
    ? "Look at its last lines: they usually say why."
    : "It printed nothing: let it say why it ends, or try its start command with diplo run.";

/** A command that cannot be run ends as in a shell (126, 127); between two tries only the init's own line tells. */
function commandRefusal({ exit_code }: InstanceFacts, evidence: string[]): string | null {
  const init = evidence.find((line) => /^\[FATAL tini .*\] exec .* failed/.test(line)) ?? "";
  if (exit_code === 127 || init.endsWith("No such file or directory")) return "does not exist in the image";
  if (exit_code === 126 || init.endsWith("Permission denied")) return "is not executable";
  return null;
}

/** Why an instance that runs never became healthy: evidence from its sockets, then from the last answer. */
export async function explainUnhealthy(
  { runtime, row, spec, app }: Patient,
  last: ProbeResult,
): Promise<PermanentError> {
  const evidence = await lastLines(runtime, row.name);
  const seconds = spec.settings.health.start_deadline_s;
  if (last.kind === "status")
    return new PermanentError("health_status", `${last.message} for ${seconds} s`, {
      detail: `The app runs, but ${last.message}; below 500 counts as healthy.`,
      hint: `Mend the error, or choose another path: diplo apps:set -a ${app} --health.path /up`,
      evidence,
    });
  const elsewhere = await listensElsewhere({ runtime, row, spec, app });
  if (elsewhere) return new PermanentError(elsewhere.code, elsewhere.title, { ...elsewhere, evidence });
  return new PermanentError("health_timeout", `not healthy within ${seconds} s: ${last.message}`, {
    detail: `The app did not become healthy within ${seconds} seconds: ${last.message}.`,
    hint: `If it starts slowly, allow more: diplo apps:set -a ${app} --health.start-deadline-s 180`,
    evidence,
  });
}

async function listensElsewhere({ runtime, row, spec, app }: Patient) {
  const sockets = (await runtime.listening(row.name).catch(() => null)) ?? [];
  const onPort = sockets.filter((socket) => socket.port === spec.port);
  if (onPort.some((socket) => !isLoopback(socket.address))) return null;
  if (onPort.length > 0)
    return {
      code: "listens_on_loopback",
      title: `listens on ${onPort[0]?.address}:${spec.port} only`,
      detail: `The app listens on ${onPort[0]?.address}:${spec.port}, which nobody outside its container can reach.`,
      hint: "Make it listen on 0.0.0.0 (all addresses).",
    };
  const others = [
    ...new Set(sockets.filter((socket) => !isLoopback(socket.address)).map((socket) => socket.port)),
  ];
  if (others.length === 0) return null;
  return {
    code: "wrong_port",
    title: `listens on ${others.join(", ")} instead of ${spec.port}`,
    detail: `The app listens on port ${others.join(", ")}, but was told to use ${spec.port} (PORT).`,
    hint: `Let it listen on the PORT variable, or say which port it uses: diplo apps:set -a ${app} --port ${others[0]}`,
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === "::ffff:127.0.0.1";
}

/** The last lines a container wrote; none when they cannot be had. */
export async function lastLines(runtime: ContainerRuntime, name: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of runtime.logs(name, { tail: LINES, signal: AbortSignal.timeout(5000) }))
      lines.push(line.text.slice(0, 1000));
  } catch {
    // Evidence only: an engine that cannot give it must not hide what it is evidence for.
  }
  return lines;
}
