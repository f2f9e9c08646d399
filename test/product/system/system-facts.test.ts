import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Value } from "@sinclair/typebox/value";
import { readConfig } from "../../../src/config.ts";
import { createLog } from "../../../src/log.ts";
import { Machine } from "../../../src/product/system/machine.ts";
import { info, stats } from "../../../src/product/system/operations.ts";
import { SystemFacts } from "../../../src/product/system/system-facts.ts";
import type { ProxyState } from "../../../src/proxy/protocol.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";

let root: string;
let store: Store;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "diplo-system-"));
  store = await openStore({ file: ":memory:", backups: root, log: createLog("error", () => {}) });
});
afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const down = async (): Promise<ProxyState> => {
  throw new Error("down");
};

function facts(flags: Record<string, string> = {}, state: () => Promise<ProxyState> = down): SystemFacts {
  return new SystemFacts({
    settings: readConfig({ data: root, ...flags }, {}),
    store,
    routes: { state },
    boxId: "01BOX",
    machine: new Machine(root),
    hostname: "Kitchen.fritz.box",
    lanAddress: () => "192.168.1.5",
  });
}

test("SystemFacts.dashboardUrls puts the LAN address first, then the machine's mDNS name", () => {
  expect(facts().dashboardUrls()).toEqual(["http://192.168.1.5:8080", "http://kitchen.local:8080"]);
});

test("SystemFacts.dashboardUrls names only the address that a person bound", () => {
  expect(facts({ control: "127.0.0.1:9000" }).dashboardUrls()).toEqual(["http://127.0.0.1:9000"]);
  expect(facts({ control: "[fd00::1]:9000" }).dashboardUrls()).toEqual(["http://[fd00::1]:9000"]);
});

test("SystemFacts.info fits its operation, with and without a proxy", async () => {
  const without = await facts().info();
  expect([...Value.Errors(info.output, without)]).toEqual([]);
  expect(without).toMatchObject({
    proxy: null,
    box_id: "01BOX",
    settings: { http: "0.0.0.0:80", "app-ports": "3000-9999" },
  });
  const state = {
    pid: 4,
    generation: 9,
    started_at: "2026-01-31T12:00:00Z",
    connections: 2,
    sha256: "x",
  } as ProxyState;
  expect((await facts({}, async () => state).info()).proxy).toEqual({
    pid: 4,
    generation: 9,
    started_at: "2026-01-31T12:00:00Z",
    connections: 2,
  });
});

test("SystemFacts.stats reads the kernel's tables and counts what the database has", async () => {
  write("proc/meminfo", "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     600 kB\n");
  write("proc/uptime", "3600.55 7000.00\n");
  write("sys/class/thermal/thermal_zone0/temp", "48312\n");
  write("sys/class/thermal/thermal_zone1/temp", "-274000\n");
  write("sys/class/thermal/cooling_device0/type", "fan\n");
  store.run(
    "insert into apps (id, name, created_by, created_at) values ('a', 'blog', 'owner', 1), ('b', 'shop', 'owner', 1)",
  );
  const found = await facts().stats();
  expect([...Value.Errors(stats.output, found)]).toEqual([]);
  expect(found).toMatchObject({
    apps: 2,
    running: 0,
    memory: { total_bytes: 1_024_000, used_bytes: 409_600, free_bytes: 614_400 },
    temperature_c: 48.312,
    uptime_s: 3600,
    queue: 0,
  });
  expect(found.disk.total_bytes).toBeGreaterThan(found.disk.free_bytes);
});

test("SystemFacts.stats has no temperature where the machine has no sensor", async () => {
  expect((await facts().stats()).temperature_c).toBeNull();
});
