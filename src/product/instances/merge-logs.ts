import type { ContainerRuntime, LogLine } from "../../engine/runtime/container-runtime.ts";
import type { InstanceRow } from "./instance-rows.ts";

export interface LogOptions {
  lines?: number;
  follow?: boolean;
  process?: string;
  /** Instance id, or `web.1`. */
  instance?: string;
  /** ISO time. */
  since?: string;
  signal?: AbortSignal;
}

export interface AppLogLine extends LogLine {
  instance: string;
  process: string;
}

/** How soon an instance that came later is noticed. */
const LOOK_MS = 1000;

/** One stream out of the logs of many instances: the past sorted by time, then what comes as it comes. */
export async function* mergeLogs(
  runtime: ContainerRuntime,
  present: () => InstanceRow[],
  options: LogOptions,
): AsyncIterable<AppLogLine> {
  const wanted = () => present().filter((row) => matches(row, options));
  const past = (await Promise.all(wanted().map((row) => gather(runtime, row, options)))).flat();
  past.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const shown = past.slice(-(options.lines ?? 100));
  yield* shown;
  if (options.follow) yield* follow(runtime, wanted, shown, options);
}

function matches(row: InstanceRow, { process, instance }: LogOptions): boolean {
  if (process !== undefined && row.process !== process) return false;
  return (
    instance === undefined ||
    row.id === instance ||
    row.name === instance ||
    `${row.process}.${row.slot}` === instance
  );
}

async function gather(
  runtime: ContainerRuntime,
  row: InstanceRow,
  options: LogOptions,
): Promise<AppLogLine[]> {
  const lines: AppLogLine[] = [];
  try {
    for await (const line of runtime.logs(row.name, {
      tail: options.lines ?? 100,
      since: options.since,
      signal: options.signal,
    }))
      lines.push({ ...line, instance: `${row.process}.${row.slot}`, process: row.process });
  } catch {
    // An instance that has just gone has no log any more; the others have.
  }
  return lines;
}

async function* follow(
  runtime: ContainerRuntime,
  wanted: () => InstanceRow[],
  shown: AppLogLine[],
  { signal = new AbortController().signal }: LogOptions,
): AsyncIterable<AppLogLine> {
  const queue: AppLogLine[] = [];
  let wake = () => {};
  const following = new Set<string>();
  const newest = new Map<string, string>();
  for (const line of shown) newest.set(line.instance, line.at);
  const attach = () => {
    for (const row of wanted()) {
      if (following.has(row.id)) continue;
      following.add(row.id);
      const name = `${row.process}.${row.slot}`;
      pump(runtime, row, newest.get(name), signal, (line) => {
        queue.push({ ...line, instance: name, process: row.process });
        wake();
      }).finally(() => following.delete(row.id));
    }
  };
  const timer = setInterval(attach, LOOK_MS);
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    attach();
    while (!signal.aborted) {
      while (queue.length > 0) yield queue.shift() as AppLogLine;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (queue.length > 0 || signal.aborted) resolve();
      });
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function pump(
  runtime: ContainerRuntime,
  row: InstanceRow,
  after: string | undefined,
  signal: AbortSignal,
  push: (line: LogLine) => void,
): Promise<void> {
  try {
    for await (const line of runtime.logs(row.name, {
      follow: true,
      since: after,
      tail: after === undefined ? 0 : undefined,
      signal,
    }))
      if (after === undefined || line.at > after) push(line);
  } catch {
    // It ended or was removed; a new look finds whether it is back.
  }
  await Bun.sleep(LOOK_MS);
}
