import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CliIo } from "./cli-io.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The value that a text stands for: `-` is stdin (asked for, unechoed, on a terminal), `@file` a file, both byte for
 * byte; anything else is itself. Throws UsageError for what cannot be read or is no UTF-8 text.
 */
export async function valueFrom(name: string, text: string, io: CliIo): Promise<string> {
  if (text === "-") return fromStdin(name, io);
  return text.startsWith("@") ? decoded(name, await fileBytes(text.slice(1), io.directory)) : text;
}

/** The same for secrets, which are refused on the command line itself: everyone on the machine can read it there. */
export async function secretFrom(flag: string, text: string, io: CliIo): Promise<string> {
  if (text !== "-" && !text.startsWith("@"))
    throw new UsageError(
      `${flag} takes no secret from the command line, where everyone on this machine can see it`,
      `Use ${flag} - (from stdin) or ${flag} @FILE`,
    );
  return (await valueFrom(flag, text, io)).trim();
}

/** `NAME=value` words with each value read from where it points to. */
export async function resolvedPairs(words: readonly string[], io: CliIo): Promise<string[]> {
  if (words.filter((word) => /^[^=]+=-$/.test(word)).length > 1)
    throw new UsageError("only one value can come from stdin");
  const resolved: string[] = [];
  for (const word of words) {
    const [, name, text] = /^([^=]+)=([\s\S]*)$/.exec(word) ?? [];
    resolved.push(
      name === undefined || text === undefined ? word : `${name}=${await valueFrom(name, text, io)}`,
    );
  }
  return resolved;
}

async function fromStdin(name: string, io: CliIo): Promise<string> {
  if (io.terminal.in) return io.ask(`${name}: `, true);
  const value = decoded(name, await io.readAll());
  // `echo secret | …` is how a password gets a newline that nobody sees. Bytes are kept, but it is said.
  if (/^[^\n]*\n$/.test(value))
    io.err(`note: ${name} ends with a newline; printf (instead of echo) leaves it out\n`);
  return value;
}

async function fileBytes(path: string, directory: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(directory, path));
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? cause}`);
  }
}

function decoded(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${name} is not UTF-8 text`, "Encode it first, for example with base64.");
  }
}
