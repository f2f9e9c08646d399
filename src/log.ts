export type Level = "debug" | "info" | "warn" | "error";

export interface Log {
  debug(message: string, facts?: Record<string, unknown>): void;
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
  /** A log whose every line carries these facts too. */
  with(facts: Record<string, unknown>): Log;
}

const ORDER: Level[] = ["debug", "info", "warn", "error"];

/** Lines for a person or journald: `level message key=value …`; control characters are escaped, values quoted when they need it. */
export function createLog(
  level: Level = "info",
  write: (line: string) => void = (line) => process.stderr.write(line),
  base: Record<string, unknown> = {},
): Log {
  const at =
    (own: Level) =>
    (message: string, facts: Record<string, unknown> = {}) => {
      if (ORDER.indexOf(own) < ORDER.indexOf(level)) return;
      write(`${own.padEnd(5)} ${clean(message)}${render({ ...base, ...facts })}\n`);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (facts) => createLog(level, write, { ...base, ...facts }),
  };
}

function render(facts: Record<string, unknown>): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text =
        value instanceof Error ? value.message : typeof value === "string" ? value : JSON.stringify(value);
      return ` ${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join("");
}

// A log line is one line, whatever an app or a stranger's header put into it.
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
