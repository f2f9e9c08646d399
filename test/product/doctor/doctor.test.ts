import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig } from "../../../src/config.ts";
import type { RuntimeInfo } from "../../../src/engine/runtime/container-runtime.ts";
import { createLog } from "../../../src/log.ts";
import { checkClock } from "../../../src/product/doctor/clock-check.ts";
import { checkData, checkDisk, checkMemory } from "../../../src/product/doctor/data-checks.ts";
import { Doctor, type DoctorOptions } from "../../../src/product/doctor/doctor.ts";
import { checkEngine, checkLimits } from "../../../src/product/doctor/engine-checks.ts";
import { examine } from "../../../src/product/doctor/examine.ts";
import { checkFirewall } from "../../../src/product/doctor/firewall-check.ts";
import { checkPoolConflicts } from "../../../src/product/doctor/pool-check.ts";
import { askListener, checkAppPorts, checkProxy } from "../../../src/product/doctor/proxy-checks.ts";
import { Machine } from "../../../src/product/system/machine.ts";
import type { ProxyState } from "../../../src/proxy/protocol.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";

const GIB = 1024 ** 3;
let directory: string;
let store: Store;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "diplo-doctor-"));
  store = await openStore({ file: ":memory:", backups: directory, log: createLog("error", () => {}) });
});
afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const settings = readConfig({}, { DIPLO_DATA: tmpdir() });

function engine(more: Partial<RuntimeInfo> = {}): RuntimeInfo {
  return {
    type: "docker",
    address: "unix:///var/run/docker.sock",
    version: "26.1",
    api_version: "1.45",
    os: "linux",
    architecture: "arm64",
    rootless: false,
    cpus: 4,
    memory_bytes: GIB,
    available: true,
    reason: null,
    capabilities: ["memory_limit", "cpu_limit", "pids_limit", "buildkit"],
    warnings: [],
    ...more,
  };
}

function proxyState(more: Partial<ProxyState> = {}): ProxyState {
  return {
    version: 1,
    diplo_version: settings.version,
    pid: 7,
    workers: 1,
    started_at: "",
    generation: 12,
    sha256: "",
    certificate_generation: 0,
    in_flight: {},
    unhealthy: {},
    last_used: {},
    connections: 0,
    last_refusal: null,
    ...more,
  };
}

/** A root directory with these files. */
function machineWith(files: Record<string, string>): Machine {
  const root = mkdtempSync(join(directory, "root-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return new Machine(root);
}

function doctorWith(more: Partial<DoctorOptions> = {}): Doctor {
  return new Doctor({
    settings: { ...settings, data: directory },
    runtimes: {
      detect: async () => [engine()],
      usable: async () => ({ subnets: async () => ["172.17.0.0/16"] }),
    },
    store,
    routes: {
      state: async () => proxyState(),
      generation: () => ({ generation: 12, acked: true, error: null }),
    },
    machine: { hostRoutes: async () => [] },
    ask: async () => "ours",
    ...more,
  });
}

test("Doctor.examine reports every check with a remedy for each that is not well", async () => {
  const { status, checks } = await doctorWith({ ask: async () => "nobody" }).examine();
  expect(status).toBe("fault");
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "engine",
      "limits",
      "data",
      "disk",
      "clock",
      "networks",
      "firewall",
      "proxy",
      "http",
      "app ports",
    ]),
  );
  for (const check of checks) if (check.status !== "ok") expect(check.remedy).toBeTruthy();
  expect(checks.find(({ name }) => name === "http")).toMatchObject({ status: "fault" });
});

test("Doctor.examine answers when the engine and the proxy do not", async () => {
  const down = async () => {
    throw new Error("connection refused");
  };
  const { checks } = await doctorWith({
    runtimes: {
      detect: async () => [engine({ available: false, reason: "Nothing answers." })],
      usable: down,
    },
    routes: { state: down, generation: () => null },
  }).examine();
  const faults = checks.filter(({ status }) => status === "fault").map(({ name }) => name);
  expect(faults).toEqual(expect.arrayContaining(["engine", "proxy"]));
  expect(checks.some(({ name }) => name === "limits")).toBe(false);
});

test("examine turns a check that throws or hangs into a fault, and waits for none", async () => {
  const report = await examine(
    {
      throws: () => {
        throw new Error("no");
      },
      hangs: () => new Promise(() => {}),
      silent: () => null,
    },
    20,
  );
  expect(report).toMatchObject({ status: "fault", checks: [{ name: "throws" }, { name: "hangs" }] });
});

test("checkEngine gives the reasons of the engines that are there when none is usable", () => {
  const silent = engine({ available: false, reason: "Nothing answers." });
  const absent = engine({
    type: "podman",
    available: false,
    reason: "There is no engine socket at /run/p.sock.",
    address: "unix:///run/p.sock",
  });
  expect(checkEngine([silent, absent]).detail).toBe("docker: Nothing answers.");
  expect(checkEngine([absent])).toMatchObject({
    status: "fault",
    detail: expect.stringContaining("looked at unix:///run/p.sock"),
  });
  expect(checkEngine([]).status).toBe("fault");
  expect(checkEngine([engine()])).toMatchObject({ status: "ok", remedy: null });
});

test("checkLimits warns of a Raspberry Pi's missing memory cgroup and names the file to change", () => {
  expect(checkLimits([engine()])?.status).toBe("ok");
  const check = checkLimits([engine({ capabilities: ["cpu_limit", "pids_limit"] })]);
  expect(check).toMatchObject({ status: "warning" });
  expect(check?.remedy).toContain("cgroup_enable=memory");
});

test("checkProxy tells a refused, a late and an older proxy apart", () => {
  const wanted = { generation: 13, acked: false, error: "bind_failed 3000" };
  expect(checkProxy(null, null, settings).status).toBe("fault");
  expect(checkProxy(proxyState(), wanted, settings)).toMatchObject({
    status: "fault",
    detail: expect.stringContaining("bind_failed"),
  });
  expect(checkProxy(proxyState(), { ...wanted, error: null }, settings).status).toBe("warning");
  expect(
    checkProxy(
      proxyState({ diplo_version: "0.0.1" }),
      { generation: 12, acked: true, error: null },
      settings,
    ),
  ).toMatchObject({
    status: "ok",
    detail: expect.stringContaining("still version 0.0.1"),
  });
});

test("askListener knows our proxy by its header, another server, and nobody", async () => {
  using ours = Bun.serve({
    port: 0,
    fetch: () => new Response("", { status: 404, headers: { "x-diplo-error": "unknown_host" } }),
  });
  using other = Bun.serve({ port: 0, fetch: () => new Response("hello") });
  expect(await askListener({ host: "0.0.0.0", port: ours.port! })).toBe("ours");
  expect(await askListener({ host: "127.0.0.1", port: other.port! })).toBe("other");
  const { port } = other;
  await other.stop(true);
  expect(await askListener({ host: "127.0.0.1", port: port! })).toBe("nobody");
});

test("checkAppPorts warns before the last port is taken", () => {
  const range = { first: 3000, last: 3009 };
  expect([5, 10, 9.5].map((used) => checkAppPorts(range, used).status)).toEqual(["ok", "fault", "warning"]);
});

test("checkData finds a directory that cannot be used and secrets that others can read", async () => {
  const data = mkdtempSync(join(directory, "data-"));
  const key = join(data, "master.key");
  writeFileSync(key, "secret", { mode: 0o600 });
  expect((await checkData(data)).status).toBe("ok");
  chmodSync(key, 0o640);
  expect(await checkData(data)).toMatchObject({ status: "warning", detail: expect.stringContaining(key) });
  expect(await checkData(join(data, "absent"))).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("not exist"),
  });
});

test("checkDisk and checkMemory judge by what is free", () => {
  const disk = (free: number) => checkDisk({ total_bytes: 64 * GIB, used_bytes: 0, free_bytes: free }).status;
  expect([20 * GIB, 1.5 * GIB, 0.1 * GIB].map(disk)).toEqual(["ok", "warning", "fault"]);
  expect(checkMemory({ total_bytes: GIB, used_bytes: 0, free_bytes: 50 * 1024 ** 2 }).status).toBe("warning");
});

test("checkClock finds a clock that starts in 1970 and one that was moved meanwhile", () => {
  const start = { wall: Date.parse("2026-01-01T00:00:00Z"), steady: 0 };
  expect(checkClock(start, { wall: start.wall + 5_000, steady: 5_000 }).status).toBe("ok");
  expect(checkClock(start, { wall: start.wall + 3_600_000, steady: 5_000 })).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("3595 s"),
  });
  expect(checkClock({ wall: 0, steady: 0 }, { wall: 1000, steady: 1000 }).status).toBe("fault");
});

describe("checkFirewall", () => {
  const ufw = { "etc/ufw/ufw.conf": "# comment\nENABLED=yes\nLOGLEVEL=low\n" };
  const rule = (port: string) => `-A ufw-user-input -p tcp --dport ${port} -j ACCEPT\n`;
  const cases: [string, Record<string, string>, "ok" | "warning", string][] = [
    ["none", {}, "ok", "none of"],
    ["ufw off", { "etc/ufw/ufw.conf": "ENABLED=no\n" }, "ok", "none of"],
    [
      "ufw with our ports",
      { ...ufw, "etc/ufw/user.rules": rule("80") + rule("8080") },
      "ok",
      "lets our ports",
    ],
    ["ufw without port 80", { ...ufw, "etc/ufw/user.rules": rule("8080") }, "warning", "port 80"],
    ["ufw whose rules we may not read", ufw, "ok", "ufw allow 3000:9999/tcp"],
    ["firewalld", { "run/firewalld.pid": "12" }, "ok", "--add-port=80/tcp"],
    [
      "nftables",
      { "etc/systemd/system/sysinit.target.wants/nftables.service": "[Unit]" },
      "ok",
      "nftables is on",
    ],
  ];
  for (const [name, files, status, words] of cases)
    test(name, async () => {
      expect(await checkFirewall(machineWith(files), settings)).toMatchObject({
        status,
        detail: expect.stringContaining(words),
      });
    });
});

test("checkPoolConflicts finds a LAN inside the pool, and a pool that is used up", () => {
  const lan = [{ cidr: "10.213.7.0/24", interface: "eth0" }];
  expect(checkPoolConflicts("10.213.0.0/16", [], ["172.17.0.0/16"]).status).toBe("ok");
  expect(checkPoolConflicts("10.213.0.0/16", lan, [])).toMatchObject({
    status: "fault",
    remedy: expect.stringContaining("--pool"),
  });
  expect(checkPoolConflicts("10.213.0.0/24", [], ["10.213.0.0/24"]).status).toBe("fault");
});
