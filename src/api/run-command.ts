import type { Static } from "@sinclair/typebox";
import type { Actor } from "../operation.ts";
import { readInput } from "../product/read-input.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";
import { problemOf } from "./problem.ts";
import { readJson } from "./read-json.ts";
import { auditRun, RunRequest, terminalEnv } from "./run-request.ts";

/** Output that the client has not read yet; beyond it the command is ended, since nothing holds it back. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** An empty line keeps a silent command's connection open. */
const HEARTBEAT_MS = 8000;

/**
 * A one-off command without stdin: `{command, env?, tty?, size?}`. Answers NDJSON: `{stream, data}` (base64) per piece
 * of output, at the end `{exit_code}` or `{error: {code, detail}}`; empty lines mean nothing. Leaving ends the
 * command. With stdin: run-socket.ts.
 */
export function runCommandRoute(stopping: AbortSignal): HandRoute {
  return {
    method: "POST",
    path: `${API_ROOT}/apps/:app/run`,
    permission: "run",
    reason: "output is streamed while the command runs",
    handle: (call) => runCommand(call, stopping),
  };
}

async function runCommand(call: RouteCall, stopping: AbortSignal): Promise<Response> {
  const { request, params, parts } = call;
  const input = readInput(RunRequest, await readJson(request));
  const app = params.app as string;
  await parts.apps.get(app);
  auditRun(parts, call.actor as Actor, app, input.command);
  const left = new AbortController();
  const signal = AbortSignal.any([request.signal, stopping, left.signal]);
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => void pump(call, app, input, controller, signal, left),
      cancel: () => left.abort(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  );
  return new Response(body, {
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
  });
}

async function pump(
  { parts }: RouteCall,
  app: string,
  input: Static<typeof RunRequest>,
  controller: ReadableStreamDefaultController<Uint8Array>,
  signal: AbortSignal,
  left: AbortController,
): Promise<void> {
  const encoder = new TextEncoder();
  const write = (line: string) => {
    if (!left.signal.aborted) controller.enqueue(encoder.encode(`${line}\n`));
  };
  const tell = (frame: object) => write(JSON.stringify(frame));
  // The first one at once: it takes the answer's head along, so that the client knows the command has begun.
  write("");
  const heartbeat = setInterval(() => write(""), HEARTBEAT_MS);
  const onOutput = (chunk: Uint8Array, stream: "stdout" | "stderr") => {
    tell({ stream, data: Buffer.from(chunk).toString("base64") });
    if ((controller.desiredSize ?? 0) < 0) left.abort();
  };
  try {
    const { exit_code } = await parts.instances.runOnce(app, {
      command: input.command,
      env: { ...terminalEnv(input), ...input.env },
      tty: input.tty ?? false,
      stdin: null,
      onOutput,
      signal,
    });
    tell({ exit_code });
  } catch (error) {
    const { code, detail } = problemOf(error, "");
    tell({ error: { code, detail } });
  } finally {
    clearInterval(heartbeat);
  }
  if (!left.signal.aborted) controller.close();
  else controller.error(new Error("the client reads too slowly, or has left"));
}
