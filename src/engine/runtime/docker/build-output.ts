import type { BuildLine } from "../container-runtime.ts";
import { type BuildTrace, decodeTrace, type TraceLog, type TraceVertex } from "./build-trace.ts";
import { cutLine } from "./log-lines.ts";

/** Longer output lines are cut here: nobody reads them, and a minified bundle printed by mistake is megabytes. */
const LINE_LIMIT_BYTES = 8 * 1024;
/** Lines kept of a running step, as evidence should it fail. */
const EVIDENCE_LINES = 30;

interface Step {
  name: string;
  announced: boolean;
  completed: boolean;
  /** Last lines, both streams. */
  tail: string[];
  open: Record<"stdout" | "stderr", Buffer>;
}

/** Turns the engine's build messages (BuildKit's trace, or the old builder's text) into lines; remembers what failed. */
export class BuildOutput {
  imageId: string | null = null;
  /** The engine's final word when the build failed. */
  error: string | null = null;
  /** The step that failed, with its last lines. */
  failed: { name: string; error: string; tail: string[] } | null = null;
  #steps = new Map<string, Step>();
  #classic: Step = newStep("");

  /** `mask` hides what nobody may read in a log: what the steps print, and what they fail with. */
  constructor(
    readonly onLine: (line: BuildLine) => void,
    readonly mask: (text: string) => string = (text) => text,
  ) {}

  /** One JSON line of the engine's answer. */
  take(message: Record<string, unknown>): void {
    const aux = message.aux;
    if (message.id === "moby.buildkit.trace" && typeof aux === "string") this.#trace(decodeTrace(aux));
    else if (aux && typeof aux === "object" && "ID" in aux) this.imageId = String(aux.ID);
    else if (typeof message.stream === "string") this.#classicText(message.stream);
    else if (message.errorDetail || message.error) this.#fail(message);
  }

  /** Starts over, for a second attempt. */
  forget(): void {
    this.imageId = this.error = this.failed = null;
    this.#steps.clear();
  }

  #trace(trace: BuildTrace): void {
    // Output before the end of its step, although one message may bring both.
    for (const vertex of trace.vertexes) this.#announce(vertex);
    for (const log of trace.logs) this.#log(log);
    for (const vertex of trace.vertexes) this.#complete(vertex);
  }

  #announce(vertex: TraceVertex): void {
    const step = this.#step(vertex.digest, vertex.name);
    if (step.announced || vertex.started === null) return;
    step.announced = true;
    this.onLine({ vertex: step.name, stream: "step", text: step.name });
  }

  #log(log: TraceLog): void {
    const step = this.#step(log.vertex, "");
    const bytes = Buffer.concat([step.open[log.stream], log.bytes]);
    const lastNewline = bytes.lastIndexOf(10);
    step.open[log.stream] = Buffer.from(
      bytes.subarray(lastNewline + 1, lastNewline + 1 + LINE_LIMIT_BYTES + 1),
    );
    if (lastNewline < 0) return;
    for (const line of splitLines(bytes.subarray(0, lastNewline))) this.#emit(step, log.stream, line);
  }

  #complete(vertex: TraceVertex): void {
    const step = this.#step(vertex.digest, vertex.name);
    if (vertex.completed === null || step.completed) return;
    step.completed = true;
    for (const stream of ["stdout", "stderr"] as const)
      if (step.open[stream].length > 0) this.#emit(step, stream, step.open[stream]);
    const error = vertex.error && this.mask(vertex.error);
    if (error) this.failed = { name: step.name, error, tail: step.tail };
    const duration_ms = Math.max(0, Math.round(vertex.completed - (vertex.started ?? vertex.completed)));
    const done = { cached: vertex.cached, duration_ms, error };
    this.onLine({ vertex: step.name, stream: "step", text: step.name, done });
    step.open = newStep("").open;
    step.tail = [];
  }

  #emit(step: Step, stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const text = this.mask(visible(cutLine(bytes, LINE_LIMIT_BYTES)));
    step.tail.push(text);
    if (step.tail.length > EVIDENCE_LINES) step.tail.shift();
    this.onLine({ vertex: step.name || null, stream, text });
  }

  #step(digest: string, name: string): Step {
    const known = this.#steps.get(digest);
    if (known) {
      known.name ||= name;
      return known;
    }
    const step = newStep(name);
    this.#steps.set(digest, step);
    return step;
  }

  // The old builder prints "Step 2/5 : RUN npm ci" among the output, Podman "STEP 2/5: RUN npm ci".
  #classicText(text: string): void {
    for (const line of splitLines(Buffer.from(text))) {
      const step = /^Step \d+\/\d+ ?: .*/i.exec(line.toString());
      if (step) this.#classic = newStep(step[0]);
      if (step) this.onLine({ vertex: step[0], stream: "step", text: step[0] });
      else if (line.length > 0) this.#emit(this.#classic, "stdout", line);
    }
  }

  #fail(message: Record<string, unknown>): void {
    const detail = (message.errorDetail as { message?: unknown } | undefined)?.message;
    this.error = this.mask(String(detail ?? message.error));
    if (!this.failed && this.#classic.name)
      this.failed = { name: this.#classic.name, error: this.error, tail: this.#classic.tail };
  }
}

function newStep(name: string): Step {
  const open = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  return { name, announced: false, completed: false, tail: [], open };
}

function* splitLines(bytes: Buffer): Generator<Buffer> {
  let from = 0;
  for (let newline = bytes.indexOf(10); newline >= 0; newline = bytes.indexOf(10, from)) {
    yield bytes.subarray(from, newline);
    from = newline + 1;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}

// A progress bar rewrites its line with carriage returns: what a person would see at its end.
function visible(line: string): string {
  const text = line.replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
