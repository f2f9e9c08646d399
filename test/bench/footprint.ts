import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ulid } from "ulid";
import { paths } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { DEFAULT_SETTINGS } from "../../src/product/environments/settings.ts";
import { openStore } from "../../src/store/open.ts";
import { Box } from "../support/start-box.ts";
import { HEAD, row } from "./figures.ts";

/** Start to answering (goal ≤100 ms), PSS of both processes with 0 and 100 apps (goal ≤70 MB), an idle minute. */
const ROUNDS = Number(process.argv[2] ?? 7);
const IDLE_MS = Number(process.argv[3] ?? 60_000);
const SETTLE_MS = 20_000;
const executable = join(import.meta.dir, "../../dist/diplo");

console.log(HEAD);
for (const apps of [0, 100]) {
  const box = await Box.start({ executable });
  try {
    if (apps > 0) {
      await box.kill("SIGTERM");
      await fill(box.data, apps);
      await box.serve();
    }
    const starts: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await box.kill("SIGTERM");
      const begun = performance.now();
      await box.serve();
      starts.push(performance.now() - begun);
    }
    console.log(row(`start to answering, ${apps} apps`, starts, "ms"));
    // What the first seconds load is part of the price.
    for (const path of ["/apps", "/system/stats"]) await box.api("GET", path);
    await Bun.sleep(SETTLE_MS);
    const pids = [box.pid, await proxyPid(box)];
    const before = pids.map(usage);
    console.log(row(`PSS of serve, ${apps} apps`, [pss(pids[0] as number)], "MB"));
    console.log(row(`PSS of proxy, ${apps} apps`, [pss(pids[1] as number)], "MB"));
    await Bun.sleep(IDLE_MS);
    for (const [i, name] of ["serve", "proxy"].entries()) {
      const now = usage(pids[i] as number);
      const then = before[i] as ReturnType<typeof usage>;
      console.log(
        row(`CPU of an idle ${name}, ${apps} apps`, [now.cpuMs - then.cpuMs], `ms in ${IDLE_MS / 1000} s`),
      );
      console.log(
        row(
          `writes of an idle ${name}, ${apps} apps`,
          [(now.writtenBytes - then.writtenBytes) / 1024],
          `KB in ${IDLE_MS / 1000} s`,
        ),
      );
    }
  } finally {
    await box[Symbol.asyncDispose]();
  }
}

function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) / 1024;
}

function usage(pid: number): { cpuMs: number; writtenBytes: number } {
  // Fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms; after the name, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const written = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1];
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, writtenBytes: Number(written) };
}

async function proxyPid(box: Box): Promise<number> {
  const response = await fetch("http://proxy/state", { unix: paths.proxySocket(box.data) });
  return ((await response.json()) as { pid: number }).pid;
}

/** Apps as a database holds them, without their containers: what is measured is Diplo, not the engine. */
async function fill(data: string, count: number): Promise<void> {
  const store = await openStore({
    file: paths.database(data),
    backups: paths.backups(data),
    log: createLog("error"),
  });
  for (let n = 0; n < count; n++) {
    const [app, environment] = [ulid(), ulid()];
    store.run("insert into apps (id, name, created_by, created_at) values ($app, $name, 'bench', 0)", {
      app,
      name: `app-${n}`,
    });
    store.run(
      `insert into environments (id, app_id, name, subnet, settings, created_at, desired)
       values ($environment, $app, 'production', $subnet, $settings, 0, 'stopped')`,
      { environment, app, subnet: `10.213.${n}.0/26`, settings: JSON.stringify(DEFAULT_SETTINGS) },
    );
    store.run("insert into ports (port, environment_id, created_at) values ($port, $environment, 0)", {
      port: 40_000 + n,
      environment,
    });
  }
  store.close();
}
