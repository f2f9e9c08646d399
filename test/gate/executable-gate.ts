import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../support/free-ports.ts";
import type { Gate, Verdict } from "./command.ts";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 20_000;

/**
 * The executable runs where there is nothing else: in an empty directory on another path, this checkout (and with it
 * node_modules) hidden, a `.env` and a `bunfig.toml` lying in wait. `version`, `doctor` with an engine to talk to, then
 * `serve` up to /healthz and an orderly end.
 */
export function executableGate(root: string): Gate {
  return {
    name: "executable",
    check: async () => {
      const place = mkdtempSync(join(tmpdir(), "diplo-gate-"));
      try {
        return await tryIn(place, root);
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
  };
}

async function tryIn(place: string, root: string): Promise<Verdict> {
  const directory = join(place, "empty");
  const diplo = join(place, "elsewhere/diplo");
  mkdirSync(directory);
  mkdirSync(join(place, "elsewhere"));
  copyFileSync(join(root, "dist/diplo"), diplo);
  chmodSync(diplo, 0o755);
  setTraps(directory);
  const hidden = await hides(root);
  using engine = playEngine(join(place, "engine.sock"));
  const start = (...args: string[]) =>
    Bun.spawn([...(hidden ? without(root) : []), diplo, ...args], {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: place, DOCKER_HOST: engine.address },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  const version = start("version");
  const said = await new Response(version.stdout).text();
  if ((await version.exited) !== 0 || !/^diplo \d+\.\d+\.\d+/.test(said))
    return { ok: false, output: `diplo version: ${said}${await new Response(version.stderr).text()}` };
  const doctor = start("doctor", "--json", "--data", join(place, "nowhere"));
  const report = await new Response(doctor.stdout).text();
  // The engine's client reads its own files in some ways of building it: that shows only here.
  if (!report.includes(`docker ${ENGINE_VERSION}`))
    return { ok: false, output: `the engine's client does not work:\n${report}` };
  const verdict = await serves(start, join(place, "data"));
  if (!verdict.ok) return verdict;
  if (existsSync(join(directory, "sprung")))
    return { ok: false, output: "the executable ran bunfig.toml's preload" };
  return { ok: true, note: `${said.trim()}, ${verdict.note}${hidden ? "" : ", the checkout in sight"}` };
}

const ENGINE_VERSION = "26.1.5";

/** An engine that says who it is, and nothing else. */
function playEngine(socket: string): Disposable & { address: string } {
  const server = Bun.serve({
    unix: socket,
    fetch: ({ url }) => {
      if (url.endsWith("/version"))
        return Response.json({
          Version: ENGINE_VERSION,
          ApiVersion: "1.45",
          MinAPIVersion: "1.24",
          Os: "linux",
          Arch: "amd64",
        });
      if (url.endsWith("/info"))
        return Response.json({ OSType: "linux", MemoryLimit: true, CpuCfsQuota: true, PidsLimit: true });
      return Response.json({ message: "no such thing here" }, { status: 404 });
    },
  });
  return { address: `unix://${socket}`, [Symbol.dispose]: () => void server.stop(true) };
}

/** What a compiled program would load from its directory if it was built carelessly. */
function setTraps(directory: string): void {
  writeFileSync(join(directory, ".env"), "DIPLO_CONTROL=nonsense\n");
  writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./trap.js"]\n');
  writeFileSync(
    join(directory, "trap.js"),
    `require("node:fs").writeFileSync(${JSON.stringify(join(directory, "sprung"))}, "");\n`,
  );
}

type Start = (...args: string[]) => Bun.Subprocess<"ignore", "pipe", "pipe">;

async function serves(start: Start, data: string): Promise<Verdict> {
  const [control, http, https] = freePorts(3) as [number, number, number];
  const at = (port: number) => `127.0.0.1:${port}`;
  const began = performance.now();
  const daemon = start(
    "serve",
    "--data",
    data,
    "--control",
    at(control),
    "--http",
    at(http),
    "--https",
    at(https),
  );
  const output = Promise.all([new Response(daemon.stdout).text(), new Response(daemon.stderr).text()]);
  const answered = await until(
    () => answers(`http://${at(control)}/healthz`),
    () => daemon.exitCode !== null,
    START_LIMIT_MS,
  );
  const tookMs = Math.round(performance.now() - began);
  daemon.kill("SIGTERM");
  const timer = setTimeout(() => daemon.kill("SIGKILL"), STOP_LIMIT_MS);
  const code = await daemon.exited;
  clearTimeout(timer);
  const text = (await output).join("");
  if (!answered) return { ok: false, output: `diplo serve did not answer at /healthz:\n${text}` };
  if (code !== 0) return { ok: false, output: `diplo serve ended with ${code} after SIGTERM:\n${text}` };
  const left = await answers(`http://${at(http)}/`, () => true);
  if (left) return { ok: false, output: "the proxy outlived a clean stop" };
  return { ok: true, note: `answers after ${tookMs} ms` };
}

async function answers(url: string, good = (response: Response) => response.ok): Promise<boolean> {
  try {
    return good(await fetch(url, { signal: AbortSignal.timeout(2_000) }));
  } catch {
    return false;
  }
}

async function until(
  condition: () => Promise<boolean>,
  hopeless: () => boolean,
  limitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline && !hopeless()) {
    if (await condition()) return true;
    await Bun.sleep(20);
  }
  return false;
}

/** Runs what follows in a mount namespace of its own, where this directory is empty. */
function without(directory: string): string[] {
  return ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', directory];
}

/** Whether this user may hide a directory from a program. */
async function hides(directory: string): Promise<boolean> {
  try {
    return (
      (await Bun.spawn([...without(directory), "true"], { stdout: "ignore", stderr: "ignore" }).exited) === 0
    );
  } catch {
    return false;
  }
}
