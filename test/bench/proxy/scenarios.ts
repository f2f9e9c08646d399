import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Contestant, HOSTS } from "./contestants.ts";
import { LOAD_CORE } from "./pinned.ts";

export interface Load {
  /** Requests, transfers, messages or events, whatever the scenario counts. */
  count: number;
  /** Milliseconds, where the generator knows them. */
  p50?: number;
  p99?: number;
  problem?: string;
}

export interface Scenario {
  name: string;
  /** CPU is given for so many of what is counted. */
  per: number;
  unit: string;
  /** Against nginx; undefined = none was set. */
  goal?: number;
  /** With an access log. */
  logging?: boolean;
  /** Loads for about so many seconds. What comes before `begin` is not measured. */
  run(contestant: Contestant, seconds: number, begin: () => void): Promise<Load>;
}

const REQUESTS = { per: 100_000, unit: "100k requests" };
const WRK = ["wrk", "-t1", "-c64", "--latency"];

/** Runs a generator on its core; ends it when it takes far too long. */
async function generator(
  argv: string[],
  seconds: number,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const child = Bun.spawn(["taskset", "-c", String(LOAD_CORE), ...argv], { stdout: "pipe", stderr: "pipe" });
  const patience = setTimeout(() => child.kill("SIGKILL"), (seconds + 20) * 1000);
  let output = "";
  const decoder = new TextDecoder();
  for (const reader = child.stdout.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    const piece = decoder.decode(value, { stream: true });
    for (const line of piece.split("\n")) onLine(line);
    output += piece;
  }
  clearTimeout(patience);
  if ((await child.exited) === 0) return output;
  throw new Error(
    `${argv[0]}: ${output.slice(0, 200)}${(await new Response(child.stderr).text()).slice(0, 200)}`,
  );
}

const MS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function latency(output: string, percent: number): number | undefined {
  const [, value, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s|m)`).exec(output) ?? [];
  return value === undefined ? undefined : Number(value) * MS[unit!]!;
}

interface WrkOptions {
  path?: string;
  tls?: boolean;
  arguments?: string[];
}

export function wrk(options: WrkOptions): Scenario["run"] {
  const { path = "/small", tls = false } = options;
  return async ({ http, https }, seconds, begin) => {
    const url = tls ? `https://localhost:${https}${path}` : `http://127.0.0.1:${http}${path}`;
    begin();
    const output = await generator([...WRK, `-d${seconds}s`, ...(options.arguments ?? []), url], seconds);
    return {
      count: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0),
      p50: latency(output, 50),
      p99: latency(output, 99),
      problem: /(Non-2xx|Socket errors).*/.exec(output)?.[0],
    };
  };
}

const CURL = ["curl", "-sS", "--fail", "--noproxy", "*", "-H", "Expect:", "-o", "/dev/null"];

/** One transfer after the other on one connection, twice as many as seconds. */
function transfers(argumentsFor: (url: string) => string[], path: string): Scenario["run"] {
  return async ({ http }, seconds, begin) => {
    const count = Math.max(1, Math.round(seconds * 2));
    const url = `http://127.0.0.1:${http}${path}`;
    begin();
    for (let i = 0; i < count; i++) await generator([...CURL, ...argumentsFor(url)], seconds);
    return { count };
  };
}

function clients(kind: "echo" | "events"): Scenario["run"] {
  return async ({ http }, seconds, begin) => {
    const argv = [process.execPath, join(import.meta.dir, "clients.ts"), kind, String(http), String(seconds)];
    const output = await generator(argv, seconds, (line) => line === "begin" && begin());
    return JSON.parse(output.trim().split("\n").at(-1)!) as Load;
  };
}

/**
 * Everything that is compared. With all they have to do at once, who carries more requests makes the generator wait for
 * its core, so latency is compared at one pace. `directory` holds the file to upload.
 */
export async function scenarios(directory: string): Promise<Scenario[]> {
  const close = ["-H", "Connection: close"];
  const eachHost = join(directory, "hosts.lua");
  await rm(eachHost, { force: true });
  await writeFile(
    eachHost,
    `local n = 0
local ready = {}
init = function(args)
  for i = 0, ${HOSTS.length - 1} do
    ready[i] = wrk.format("GET", "/small", { Host = "app" .. i .. ".test" })
  end
end
request = function()
  n = (n + 1) % ${HOSTS.length}
  return ready[n]
end
`,
  );
  const paused = join(directory, "paused.lua");
  await writeFile(paused, "function delay() return 10 end\n");
  const steady = ["-s", paused];
  const upload = ["-T", join(directory, "100m")];
  return [
    { name: "keep-alive, 100 B", ...REQUESTS, goal: 0.95, run: wrk({}) },
    { name: "keep-alive, 1 KB", ...REQUESTS, goal: 0.95, run: wrk({ path: "/1k" }) },
    { name: "keep-alive, 100 KB", ...REQUESTS, run: wrk({ path: "/100k" }) },
    {
      name: "keep-alive, 100 B, 1,000 hosts in turn",
      ...REQUESTS,
      goal: 0.95,
      run: wrk({ arguments: ["-s", eachHost] }),
    },
    { name: "keep-alive, 100 B, access log", ...REQUESTS, goal: 0.95, logging: true, run: wrk({}) },
    { name: "the same at one pace, 5,000 a second", ...REQUESTS, run: wrk({ arguments: steady }) },
    {
      name: "TLS at that pace",
      ...REQUESTS,
      goal: 0.85,
      run: wrk({ tls: true, arguments: steady }),
    },
    { name: "without keep-alive, 100 B", ...REQUESTS, run: wrk({ arguments: close }) },
    { name: "TLS keep-alive, 100 B", ...REQUESTS, goal: 0.85, run: wrk({ tls: true }) },
    {
      name: "TLS keep-alive, 100 B, access log",
      ...REQUESTS,
      goal: 0.85,
      logging: true,
      run: wrk({ tls: true }),
    },
    {
      name: "new TLS handshakes, one request each",
      ...REQUESTS,
      goal: 1.1,
      run: wrk({ tls: true, arguments: close }),
    },
    { name: "100 MB down", per: 100, unit: "10 GB", goal: 0.6, run: transfers((url) => [url], "/100m") },
    {
      name: "100 MB up",
      per: 100,
      unit: "10 GB",
      goal: 0.9,
      run: transfers((url) => [...upload, url], "/live/upload"),
    },
    { name: "WebSocket echo", per: 100_000, unit: "100k messages", run: clients("echo") },
    { name: "event stream to 1,000", per: 100_000, unit: "100k events", run: clients("events") },
  ];
}
