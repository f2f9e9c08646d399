import { randomBytes } from "node:crypto";
import type { ContainerRuntime } from "../../engine/runtime/container-runtime.ts";
import type { Environment } from "../environments/environments.ts";
import type { ReleaseRow } from "../releases/releases.ts";
import { instanceSpec } from "./instance-spec.ts";

export interface OneOff {
  command: string[];
  env?: Record<string, string>;
  tty: boolean;
  stdin: ReadableStream<Uint8Array> | null;
  onOutput: (chunk: Uint8Array, stream: "stdout" | "stderr") => void;
  signal: AbortSignal;
}

export interface OneOffPlace {
  runtime: ContainerRuntime;
  environment: Environment;
  release: ReleaseRow;
  config: Record<string, string>;
}

const DEADLINE_MS = 24 * 3600_000;

/** Runs one command to its end and answers its exit code; the container is removed whatever happens. */
export async function runOneOff(place: OneOffPlace, oneOff: OneOff): Promise<{ exit_code: number }> {
  const { runtime, environment, release, config } = place;
  const name = `diplo-run-${randomBytes(6).toString("hex")}`;
  const spec = instanceSpec(
    environment,
    release,
    { ...config, ...oneOff.env },
    {
      name,
      address: "",
      process: "run",
    },
  );
  const { exit_code } = await runtime.run(
    {
      // Nothing is ever sent to it: the engine chooses from the part of the subnet that is its own.
      spec: { ...spec, address: null, command: oneOff.command, port: null, aliases: [] },
      tty: oneOff.tty,
      stdin: oneOff.stdin,
      onOutput: oneOff.onOutput,
      deadline_ms: DEADLINE_MS,
    },
    oneOff.signal,
  );
  return { exit_code };
}
