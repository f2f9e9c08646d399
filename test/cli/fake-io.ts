import type { CliIo } from "../../src/cli/cli-io.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

export interface FakeIo extends CliIo {
  stdout(): string;
  stderr(): string;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

interface Script {
  stdin?: string | Uint8Array;
  /** What the person types when asked. */
  answers?: string[];
  terminal?: boolean;
  columns?: number;
  directory?: string;
}

/** A person at a keyboard, written down beforehand. */
export function fakeIo(script: Script = {}): FakeIo {
  const { terminal = false, columns = 80, answers = [], directory = "/" } = script;
  const stdin =
    typeof script.stdin === "string"
      ? new TextEncoder().encode(script.stdin)
      : (script.stdin ?? new Uint8Array());
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const handlers = new Set<() => void>();
  const encoder = new TextEncoder();
  return {
    out: (text) => void out.push(encoder.encode(text)),
    outBytes: (bytes) => void out.push(Uint8Array.from(bytes)),
    err: (text) => void err.push(encoder.encode(text)),
    errBytes: (bytes) => void err.push(Uint8Array.from(bytes)),
    terminal: { in: terminal, out: terminal, err: terminal },
    size: () => ({ columns, rows: 24 }),
    readAll: async () => stdin,
    keys: () =>
      Object.assign(
        (async function* () {
          if (stdin.length > 0) yield stdin;
        })(),
        { [Symbol.dispose]: () => {} },
      ),
    ask: async (question, hidden) => {
      err.push(encoder.encode(`${question}${hidden ? "(hidden)" : ""}\n`));
      const answer = answers.shift();
      if (answer === undefined) throw new UsageError("nobody answers");
      return answer;
    },
    onInterrupt: (handler) => {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    onResize: () => ({ [Symbol.dispose]: () => {} }),
    now: () => Date.parse("2026-01-31T12:00:00Z"),
    directory,
    stdout: () => Buffer.concat(out).toString(),
    stderr: () => Buffer.concat(err).toString(),
    interrupt: () => {
      for (const handler of [...handlers]) handler();
    },
  };
}
