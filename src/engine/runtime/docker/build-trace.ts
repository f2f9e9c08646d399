import { protobufFields } from "./protobuf.ts";

/** A build step as one status message of BuildKit tells it (moby.buildkit.v1.Vertex). Times in ms since 1970. */
export interface TraceVertex {
  digest: string;
  name: string;
  cached: boolean;
  started: number | null;
  completed: number | null;
  error: string | null;
}

export interface TraceLog {
  vertex: string;
  stream: "stdout" | "stderr";
  bytes: Uint8Array;
}

export interface BuildTrace {
  vertexes: TraceVertex[];
  logs: TraceLog[];
}

/** Decodes the `aux` of a `moby.buildkit.trace` line: base64 of a StatusResponse. */
export function decodeTrace(aux: string): BuildTrace {
  const trace: BuildTrace = { vertexes: [], logs: [] };
  for (const [field, value] of protobufFields(Buffer.from(aux, "base64"))) {
    if (typeof value === "number") continue;
    if (field === 1) trace.vertexes.push(vertex(value));
    else if (field === 3) trace.logs.push(log(value));
  }
  return trace;
}

function vertex(bytes: Uint8Array): TraceVertex {
  const found: TraceVertex = {
    digest: "",
    name: "",
    cached: false,
    started: null,
    completed: null,
    error: null,
  };
  for (const [field, value] of protobufFields(bytes)) {
    if (typeof value === "number") {
      if (field === 4) found.cached = value === 1;
    } else if (field === 1) found.digest = text(value);
    else if (field === 3) found.name = text(value);
    else if (field === 5) found.started = timestamp(value);
    else if (field === 6) found.completed = timestamp(value);
    else if (field === 7) found.error = text(value) || null;
  }
  return found;
}

function log(bytes: Uint8Array): TraceLog {
  const found: TraceLog = { vertex: "", stream: "stdout", bytes: new Uint8Array(0) };
  for (const [field, value] of protobufFields(bytes)) {
    if (typeof value === "number") {
      if (field === 3) found.stream = value === 2 ? "stderr" : "stdout";
    } else if (field === 1) found.vertex = text(value);
    else if (field === 4) found.bytes = value;
  }
  return found;
}

// google.protobuf.Timestamp: 1 = seconds, 2 = nanoseconds.
function timestamp(bytes: Uint8Array): number {
  let ms = 0;
  for (const [field, value] of protobufFields(bytes))
    if (typeof value === "number") ms += field === 1 ? value * 1000 : value / 1e6;
  return ms;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
