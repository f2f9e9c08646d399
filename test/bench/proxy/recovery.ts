import { eventually } from "../../proxy/harness.ts";
import { median } from "../figures.ts";
import { cpuSeconds, family } from "./pinned.ts";
import { soakApp } from "./soak-load.ts";
import { SoakPlane } from "./soak-plane.ts";

const KILLS = 15;
/** Of the two workers' queues each gets some of so many connections. */
const CONNECTIONS = 16;
/** The parent, two workers and the spare one. */
const PROCESSES = 4;
const START_MS = 20_000;
const CALM_MS = 1_500;

/** Two workers without load, one of them killed: until new connections, sent at that moment, all have their answers. */
export async function figuresOfRecovery(): Promise<string> {
  const app = soakApp("a");
  const plane = await SoakPlane.start([app.port!]);
  const times: number[] = [];
  try {
    for (let i = 0; i < KILLS; i++) {
      await eventually(() => isReady(plane.pid), START_MS);
      await answersMs(plane.http);
      await plane.killWorker();
      times.push(await answersMs(plane.http));
    }
  } finally {
    await plane.stop();
    await app.stop(true);
  }
  const [middle, worst] = [median(times), Math.max(...times)].map((ms) => ms.toFixed(0));
  return `| a worker is killed (${KILLS} times) | median ms | worst ms |\n|---|---|---|\n| all of ${CONNECTIONS} new connections answered | ${middle} | ${worst} |\n`;
}

/** All are there, and the spare one is busy no more with its start. */
async function isReady(pid: number): Promise<boolean> {
  const pids = await family(pid);
  const before = await cpuSeconds(pids);
  await Bun.sleep(CALM_MS);
  return pids.length === PROCESSES && (await cpuSeconds(await family(pid))) - before < 0.02;
}

/** How long that many new connections take to be answered, all at once. */
async function answersMs(port: number): Promise<number> {
  const begun = performance.now();
  const ask = async () => {
    const response = await fetch(`http://localhost:${port}/`, { keepalive: false });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`answered ${response.status}`);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  return performance.now() - begun;
}
