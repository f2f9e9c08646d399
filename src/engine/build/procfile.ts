import { PermanentError } from "../../errors.ts";

/** Process lines by name, in file order (Heroku's format: `name: command`, `#` comments). */
export type Procfile = Map<string, string>;

const NAME = /^[a-z][a-z0-9_-]{0,29}$/;

/** Reads a Procfile. Throws `procfile_invalid` with the line's number. */
export function parseProcfile(text: string): Procfile {
  const processes: Procfile = new Map();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const command = line.slice(colon + 1).trim();
    if (!NAME.test(name)) throw broken(index + 1, `"${printable(name || line)}" is not a process name`);
    if (command === "") throw broken(index + 1, `process "${name}" has no command`);
    if (/(?!\t)\p{Cc}/u.test(command)) throw broken(index + 1, "control characters");
    if (processes.has(name)) throw broken(index + 1, `process "${name}" stands there twice`);
    processes.set(name, command);
  }
  return processes;
}

function broken(line: number, reason: string): PermanentError {
  return new PermanentError("procfile_invalid", `Procfile line ${line}: ${reason}`, {
    detail: `Line ${line} of the Procfile cannot be used: ${reason}.`,
    hint: "Write one process per line, as in `web: node server.js`. Names are a-z, 0-9, - and _.",
  });
}

function printable(text: string): string {
  return text.slice(0, 60).replace(/\p{Cc}/gu, "?");
}
