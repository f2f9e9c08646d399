import { readFile } from "node:fs/promises";

/** The proxy under test has this core to itself; backend and generator share the other one. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

export interface Started {
  pid: number;
  stop(): Promise<void>;
}

/** Starts a program on one core. `log`: where its standard output goes. */
export function startPinned(
  core: number,
  argv: string[],
  env: Record<string, string> = {},
  log?: string,
): Started {
  const child = Bun.spawn(["taskset", "-c", String(core), ...argv], {
    stdout: log === undefined ? "ignore" : Bun.file(log),
    stderr: "ignore",
    env: { ...process.env, ...env },
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 3_000);
    await child.exited;
    clearTimeout(patience);
  };
  return { pid: child.pid, stop };
}

/** Waits until something listens. */
export async function listening(port: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch {
      await Bun.sleep(25);
    }
  }
  throw new Error(`nothing listens on ${port}`);
}

/** A process and all below it. */
export async function family(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const children = text.trim().split(" ").filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(children.map(family))).flat()];
}

/** User and system time of these processes so far, in seconds. */
export async function cpuSeconds(pids: number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

/** Memory of these processes, shared pages counted in part. */
export async function pssMb(pids: number[]): Promise<number> {
  let kb = 0;
  for (const pid of pids) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    kb += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kb / 1024;
}
