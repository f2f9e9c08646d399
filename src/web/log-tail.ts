import type { LogLineView } from "../../ui/components/log-view.tsx";

/** What this needs of a job's log (jobs/job-log.ts). */
export interface ReadableLog {
  read(from: number, max?: number): Promise<{ text: string; next: number }>;
  flush?(): void;
}

const SHOWN_LINES = 2000;

export const linesOf = (text: string): LogLineView[] =>
  text === ""
    ? []
    : text
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => ({ text: line }));

/** The last lines of a log, and the byte offset behind them. */
export async function logTail(log: ReadableLog): Promise<{ lines: LogLineView[]; end: number }> {
  log.flush?.();
  let lines: LogLineView[] = [];
  let end = 0;
  for (;;) {
    const { text, next } = await log.read(end);
    if (next === end) return { lines, end };
    lines = [...lines, ...linesOf(text)].slice(-SHOWN_LINES);
    end = next;
  }
}
