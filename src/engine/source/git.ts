import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

export interface GitOptions {
  /** Added to a clean environment; holds no secret. */
  env?: Record<string, string>;
  /** Lines that a credential helper reads from descriptor 3: in no argument, environment or file. */
  secret?: string | undefined;
  /** Added to our settings; travels in the environment too. */
  config?: [string, string][];
  signal: AbortSignal;
  /** Lines of stderr as they come, progress included. */
  onLine?: (line: string) => void;
  /** Bytes of stdout kept; a longer answer ends the child. */
  maxOutputBytes?: number;
}

/** git ended with an error. `stderr` is its own words, without progress. */
export class GitFailure extends Error {
  override name = "GitFailure";
  constructor(
    readonly exit_code: number | null,
    readonly stderr: string,
  ) {
    super(lastLine(stderr) ?? `git ended with code ${exit_code}`);
  }
}

/**
 * Nothing of the machine's or a person's git configuration, no prompt, no hook, no program chosen by a repository.
 * `protocol.allow=never` shuts every transport that is not named after it (git-config(1)).
 */
const SETTINGS: [string, string][] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.symlinks", "true"],
  ["credential.helper", ""],
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.git.allow", "always"],
  ["protocol.ssh.allow", "always"],
  ["protocol.file.allow", "always"],
  ["fetch.recurseSubmodules", "false"],
  ["fetch.fsckObjects", "false"],
  ["gc.auto", "0"],
  ["advice.detachedHead", "false"],
  ["http.lowSpeedLimit", "1"],
  ["http.lowSpeedTime", "60"],
];

export const GIT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Files must be readable by the app's user whatever umask the daemon runs with. The script holds no value. */
const READABLE = 'umask 022; exec "$0" "$@"';

/**
 * Runs git with an argument array in a process group of its own, and answers its stdout. Throws GitFailure, or the
 * signal's reason when it was aborted: then the whole group is killed, helpers included.
 */
export function git(args: string[], options: GitOptions): Promise<string> {
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", READABLE, "git", ...args], {
      detached: true,
      env: { ...cleanEnvironment(), ...settings(options.config), ...options.env },
      stdio: ["ignore", "pipe", "pipe", options.secret === undefined ? "ignore" : "pipe"],
    });
    if (options.secret !== undefined) tell(child.stdio[3] as Writable, options.secret);
    const kill = () => killGroup(child.pid);
    options.signal.addEventListener("abort", kill, { once: true });
    const stdout = collect(child.stdout as Readable, options.maxOutputBytes ?? 16 * 1024 * 1024, kill);
    const stderr = collectLines(child.stderr as Readable, options.onLine);
    child.once("error", reject);
    child.once("close", (code) => {
      options.signal.removeEventListener("abort", kill);
      if (options.signal.aborted) reject(options.signal.reason);
      else if (code !== 0) reject(new GitFailure(code, stderr()));
      else resolve(stdout());
    });
  });
}

/** How often one git command may ask: for a submodule's host, a redirect, each batch of large files. */
const ANSWERS = 64;

/** Each helper takes its part: a shell's `read` goes byte by byte and leaves the rest there. */
function tell(pipe: Writable, secret: string): void {
  // git ends without having asked, or asked enough.
  pipe.on("error", () => undefined);
  pipe.end(secret.repeat(ANSWERS));
}

function cleanEnvironment(): Record<string, string> {
  return {
    PATH: GIT_PATH,
    HOME: "/nonexistent",
    LC_ALL: "C",
    LANGUAGE: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
  };
}

/** git-config(1): GIT_CONFIG_COUNT, read like `-c`, but seen by nobody else on the machine. */
function settings(extra: [string, string][] = []): Record<string, string> {
  const all = [...SETTINGS, ...extra];
  const pairs = all.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(all.length), ...Object.fromEntries(pairs) };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group ended by itself in between.
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) onTooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

const KEPT_LINES = 40;

/** Progress is drawn with carriage returns: it goes to `onLine` and not into the failure's text. */
function collectLines(
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
): () => string {
  const decoder = new StringDecoder("utf8");
  const kept: string[] = [];
  let rest = "";
  const take = (line: string) => {
    const text = line.trimEnd().slice(0, 2000);
    if (text === "") return;
    onLine?.(text);
    if (!/\d+% \(/.test(text)) kept.push(text);
    if (kept.length > KEPT_LINES) kept.shift();
  };
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    lines.forEach(take);
  });
  return () => {
    take(rest);
    rest = "";
    return kept.join("\n");
  };
}

function lastLine(text: string): string | undefined {
  const lines = text.split("\n").filter(Boolean);
  return lines.findLast((line) => /^(fatal|error|remote):/.test(line)) ?? lines.at(-1);
}
