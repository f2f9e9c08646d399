import { join } from "node:path";
import { median } from "../figures.ts";
import type { Contestant } from "./contestants.ts";
import { cpuSeconds, LOAD_CORE } from "./pinned.ts";

const ROUNDS = 3;
const LOOK_MS = 1_000;
const SETTLE_MS = 20_000;

/** What a crowd of rude clients does to a good one: p99 of eight connections, without the crowd and with it. */
export async function figuresOfDisturbance(contestants: Contestant[]): Promise<string> {
  const lines: string[] = [];
  for (const { name, http, pids } of contestants) {
    const before = await goodClient(http);
    const argv = [process.execPath, join(import.meta.dir, "clients.ts"), "rude", String(http)];
    const crowd = Bun.spawn(["taskset", "-c", String(LOAD_CORE), ...argv], {
      stdout: "pipe",
      stderr: "ignore",
    });
    await crowd.stdout.getReader().read();
    await settled(pids);
    const after = await goodClient(http);
    crowd.kill("SIGKILL");
    await crowd.exited;
    const times = (after / before).toFixed(1);
    lines.push(`| ${name} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${times} |`);
  }
  return `| 1,000 that drip a head, 1,000 that never read | p99 ms without | with | times |\n|---|---|---|---|\n${lines.join("\n")}\n`;
}

/** Until the buffers of those that never read are full, what disturbs others is honest work. */
async function settled(pids: number[]): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  for (let last = await cpuSeconds(pids); performance.now() < deadline; ) {
    await Bun.sleep(LOOK_MS);
    const now = await cpuSeconds(pids);
    if (now - last < 0.1 * (LOOK_MS / 1000)) return;
    last = now;
  }
}

async function goodClient(port: number): Promise<number> {
  const figures: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const argv = ["wrk", "-t1", "-c8", "-d2s", "--latency", `http://127.0.0.1:${port}/small`];
    const child = Bun.spawn(["taskset", "-c", String(LOAD_CORE), ...argv], { stdout: "pipe" });
    const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(await new Response(child.stdout).text()) ?? [];
    figures.push(Number(value) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1));
  }
  return median(figures);
}
