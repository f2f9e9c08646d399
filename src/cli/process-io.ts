import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { DiploError } from "../errors.ts";
import type { CliIo } from "./cli-io.ts";
import { UsageError } from "./usage-error.ts";

/** The real terminal, pipes and signals of this process. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr } = process;
  stdout.on("error", (error) => readerLeft(error, true));
  stderr.on("error", (error) => readerLeft(error, false));
  return {
    out: (text) => void stdout.write(text),
    outBytes: (bytes) => void stdout.write(bytes),
    err: (text) => void stderr.write(text),
    errBytes: (bytes) => void stderr.write(bytes),
    terminal: { in: Boolean(stdin.isTTY), out: Boolean(stdout.isTTY), err: Boolean(stderr.isTTY) },
    size: () => {
      const { columns, rows } = stdout.isTTY ? stdout : stderr;
      // A terminal that does not know its size says 0.
      return { columns: columns || 80, rows: rows || 24 };
    },
    readAll: () => Bun.stdin.bytes(),
    keys,
    ask,
    onInterrupt: (handler) => {
      process.on("SIGINT", handler);
      return { [Symbol.dispose]: () => void process.off("SIGINT", handler) };
    },
    onResize: (handler) => {
      stdout.on("resize", handler);
      return { [Symbol.dispose]: () => void stdout.off("resize", handler) };
    },
    now: Date.now,
    directory: process.cwd(),
  };
}

/** `diplo logs | head`: the reader has enough, which is no error of ours. Without anyone to tell of it, work goes on. */
function readerLeft(error: NodeJS.ErrnoException, ends: boolean): void {
  if (error.code !== "EPIPE") throw error;
  if (ends) process.exit(0);
}

function keys(raw: boolean): AsyncIterable<Uint8Array> & Disposable {
  const { stdin } = process;
  if (raw && stdin.isTTY) stdin.setRawMode(true);
  return {
    [Symbol.asyncIterator]: () => stdin[Symbol.asyncIterator](),
    [Symbol.dispose]: () => {
      if (raw && stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      stdin.unref?.();
    },
  };
}

async function ask(question: string, hidden = false): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new UsageError("there is no terminal to ask on");
  // Readline echoes by writing: what is hidden is written nowhere.
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr;
  const reader = createInterface({ input: stdin, output, terminal: true });
  // Ctrl-C and Ctrl-D: nobody goes on answering.
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new DiploError("cancelled", "stopped", { detail: "Stopped." }));
    reader.once("SIGINT", stop).once("close", stop);
  });
  try {
    // Only now: the terminal echoes by itself until readline has it.
    if (hidden) stderr.write(question);
    return await Promise.race([reader.question(hidden ? "" : question), stopped]);
  } finally {
    reader.close();
    if (hidden) stderr.write("\n");
  }
}
