import type { Duplex } from "node:stream";
import { conflict, DiploError } from "../../../errors.ts";
import type { RunRequest } from "../container-runtime.ts";
import { createContainer, inspectContainer, ownContainer, removeContainer } from "./containers.ts";
import { Demux } from "./demux.ts";
import type { DockerClient } from "./docker-client.ts";
import { type ContainerBody, commonBody } from "./instance-body.ts";
import { instancesFacts } from "./instance-facts.ts";
import { startRefusal } from "./start-refusal.ts";

/** Output may still be on its way when the engine already knows the exit code. */
const LAST_OUTPUT_MS = 5_000;

/**
 * Runs a one-off container to its end and removes it whatever happens. Throws the signal's reason when aborted,
 * `run_timeout` after the deadline; both kill it. A non-zero exit is an answer, not an error.
 */
export async function runOnce(client: DockerClient, request: RunRequest, signal: AbortSignal) {
  signal.throwIfAborted();
  const { spec } = request;
  const stopped = AbortSignal.any([signal, AbortSignal.timeout(request.deadline_ms)]);
  const id = await create(client, request);
  try {
    const stream = await attach(client, id, request, stopped);
    const output = forward(stream, request);
    await start(client, id, request);
    // A program may end, or close its input, before it has read everything.
    if (request.stdin) feed(stream, request.stdin, stopped).catch(() => {});
    const exit_code = await ended(client, id, stopped);
    await Promise.race([output, Bun.sleep(LAST_OUTPUT_MS)]);
    const container = await inspectContainer(client, id);
    return { exit_code, oom_killed: instancesFacts(container ? [container] : [])[0]?.oom_killed ?? false };
  } catch (error) {
    signal.throwIfAborted();
    if (stopped.aborted)
      throw new DiploError("run_timeout", `"${spec.name}" was stopped after ${request.deadline_ms / 1000} s`);
    throw error;
  } finally {
    await removeContainer(client, id);
  }
}

/** Creates the container, in place of one that an earlier, killed attempt left behind. Answers its id. */
async function create(client: DockerClient, request: RunRequest): Promise<string> {
  const { spec } = request;
  const body: ContainerBody = {
    ...commonBody(spec, client.boxId, await client.engine()),
    Tty: request.tty,
    AttachStdin: request.stdin !== null,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: request.stdin !== null,
    StdinOnce: request.stdin !== null,
  };
  for (let attempt = 0; attempt < 3; attempt++) {
    const created = await createContainer(client, spec.name, body).catch((error) => {
      throw startRefusal(error, spec);
    });
    const container = await ownContainer(client, spec.name);
    if (created && container) return container.Id;
    if (container) await removeContainer(client, container.Id);
  }
  throw conflict("name_taken", `container "${spec.name}" is being made by somebody else`);
}

async function attach(
  client: DockerClient,
  id: string,
  request: RunRequest,
  stopped: AbortSignal,
): Promise<Duplex> {
  const query = { stream: true, stdout: true, stderr: true, ...(request.stdin ? { stdin: true } : {}) };
  const raw = { method: "POST" as const, path: `/containers/${id}/attach`, query, hijack: true };
  return (await client.stream("attach", raw, stopped)) as Duplex;
}

async function start(client: DockerClient, id: string, request: RunRequest): Promise<void> {
  try {
    await client.call("start container", (docker, abortSignal) =>
      docker.getContainer(id).start({ abortSignal }),
    );
  } catch (error) {
    throw startRefusal(error, request.spec);
  }
}

async function forward(stream: Duplex, request: RunRequest): Promise<void> {
  const demux = new Demux();
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      if (request.tty) request.onOutput(chunk, "stdout");
      else for (const frame of demux.push(chunk)) request.onOutput(frame.payload, frame.stream);
    }
  } catch {
    // Cut by the abort or with the container's end: the exit code tells what happened.
  }
}

async function feed(stream: Duplex, stdin: ReadableStream<Uint8Array>, stopped: AbortSignal): Promise<void> {
  const reader = stdin.getReader();
  const abandon = () => void reader.cancel().catch(() => {});
  stopped.addEventListener("abort", abandon, { once: true });
  stream.once("close", abandon);
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    if (!stream.write(piece.value)) await drained(stream);
  stream.end();
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.once("drain", resolve);
    stream.once("close", resolve);
  });
}

// `not-running` asked after the start, for `next-exit` would miss a program that already ended.
async function ended(client: DockerClient, id: string, stopped: AbortSignal): Promise<number> {
  const answer = await client.call(
    "wait for container",
    (docker, abortSignal) => docker.getContainer(id).wait({ condition: "not-running", abortSignal }),
    { signal: stopped, timeoutMs: 2 ** 31 - 1 },
  );
  return (answer as { StatusCode: number }).StatusCode;
}
