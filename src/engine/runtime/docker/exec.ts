import type { Duplex } from "node:stream";
import { Demux } from "./demux.ts";
import type { DockerClient } from "./docker-client.ts";

const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/**
 * Runs a command inside a running container and answers what it printed (at most 1 MB), or null when it cannot be
 * run there or fails. For looking, not for changing: cutting the stream leaves the process running.
 */
export async function execCapture(
  client: DockerClient,
  id: string,
  command: string[],
  timeoutMs = 10_000,
): Promise<string | null> {
  const stopped = AbortSignal.timeout(timeoutMs);
  try {
    const exec = await client.call("exec", (docker, abortSignal) =>
      docker.getContainer(id).exec({ Cmd: command, AttachStdout: true, AttachStderr: false, abortSignal }),
    );
    const stream = await client.call("exec", () =>
      exec.start({ Detach: false, Tty: false, hijack: true, abortSignal: stopped }),
    );
    const output = await collect(stream);
    const result = await client.call("exec", (_docker, abortSignal) => exec.inspect({ abortSignal }));
    return result.ExitCode === 0 ? output : null;
  } catch {
    // No such program, stopped meanwhile, too slow: not knowable this way.
    return null;
  }
}

async function collect(stream: Duplex): Promise<string> {
  stream.on("error", () => {});
  const demux = new Demux();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (const frame of demux.push(chunk)) {
      if (frame.stream !== "stdout" || bytes > OUTPUT_LIMIT_BYTES) continue;
      pieces.push(frame.payload);
      bytes += frame.payload.length;
    }
  }
  return Buffer.concat(pieces).toString("utf8");
}
