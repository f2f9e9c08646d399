import { DiploError, PermanentError } from "../../../errors.ts";
import type { LogLine } from "../container-runtime.ts";
import { ownContainer } from "./containers.ts";
import { Demux } from "./demux.ts";
import type { DockerClient } from "./docker-client.ts";
import { engineDown } from "./engine-error.ts";
import { LogLines } from "./log-lines.ts";
import { engineTime, epochNanos } from "./timestamps.ts";

export interface LogOptions {
  tail?: number;
  follow?: boolean;
  /** ISO time as in `LogLine.at`: only lines stamped later. */
  since?: string;
  signal?: AbortSignal;
}

/**
 * A container's output line by line. Without `follow` it ends with what is there. Ends quietly when the signal
 * aborts; throws `engine_down` when the engine hangs up before the container ended.
 */
export async function* instanceLogs(
  client: DockerClient,
  name: string,
  options: LogOptions,
): AsyncGenerator<LogLine> {
  const container = await ownContainer(client, name);
  if (!container)
    throw new PermanentError("instance_not_found", `container "${name}" does not exist`, { status: 404 });
  const leave = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal;
  const after = options.since === undefined ? null : epochNanos(options.since);
  const lines = new LogLines();
  try {
    const stream = await client.stream("logs", logsRequest(container.Id, options), signal);
    const demux = new Demux();
    for await (const chunk of stream)
      for (const frame of demux.push(chunk as Uint8Array))
        for (const line of lines.push(frame)) if (after === null || epochNanos(line.at) > after) yield line;
    yield* lines.end();
  } catch (error) {
    if (options.signal?.aborted) return;
    throw error instanceof DiploError ? error : engineDown("logs", error);
  } finally {
    leave.abort();
  }
}

function logsRequest(id: string, options: LogOptions) {
  return {
    method: "GET" as const,
    path: `/containers/${id}/logs`,
    query: {
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: options.follow ?? false,
      ...(options.tail === undefined ? {} : { tail: options.tail }),
      ...(options.since === undefined ? {} : { since: engineTime(options.since) }),
    },
  };
}
