import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-ports.ts";

const root = join(import.meta.dir, "../..");
/** Another architecture's executables need an emulator and that architecture's C library. */
const emulator = process.arch === "arm64" ? [] : ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"];
let scratch: string;
let executable: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "diplo-arm64-"));
  executable = join(scratch, "dist/diplo-linux-arm64");
  const build = Bun.spawnSync(
    [process.execPath, join(root, "src/compile.ts"), "--all", "--out", join(scratch, "dist")],
    {
      cwd: root,
      stderr: "inherit",
    },
  );
  expect(build.exitCode).toBe(0);
  expect(existsSync(executable)).toBe(true);
}, 300_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

test("the arm64 executable tells its version", () => {
  const { stdout, exitCode } = Bun.spawnSync([...emulator, executable, "version"], { cwd: scratch });
  expect(exitCode).toBe(0);
  expect(stdout.toString()).toMatch(/\d+\.\d+\.\d+/);
}, 60_000);

test("the arm64 executable serves up to the sign-in page", async () => {
  const port = freePort();
  // An emulated process cannot start a second one of its kind, so the data plane stays out.
  const args = [
    "serve",
    "--proxy-managed",
    "--data",
    join(scratch, "data"),
    "--control",
    `127.0.0.1:${port}`,
  ];
  const serve = Bun.spawn([...emulator, executable, ...args], {
    cwd: scratch,
    stdout: "pipe",
    stderr: "inherit",
    env: { PATH: process.env.PATH, HOME: scratch, DOCKER_HOST: `unix://${scratch}/no-engine.sock` },
  });
  try {
    const page = await signInPage(`http://127.0.0.1:${port}/`, serve, performance.now() + 100_000);
    expect(page).toContain("<html");
    expect(page).toMatch(/sign in/i);
  } finally {
    serve.kill("SIGKILL");
    await serve.exited;
  }
}, 120_000);

async function signInPage(url: string, serve: Bun.Subprocess, deadline: number): Promise<string> {
  for (;;) {
    const answer = await fetch(url, { headers: { accept: "text/html" } }).catch(() => undefined);
    if (answer) return answer.text();
    if (serve.exitCode !== null) throw new Error(`serve ended with ${serve.exitCode}`);
    if (performance.now() > deadline) throw new Error("serve did not answer");
    await Bun.sleep(200);
  }
}
