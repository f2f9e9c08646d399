import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectRuntimes } from "../../../src/engine/runtime/detect.ts";
import { createLog } from "../../../src/log.ts";
import { fakeEngine, json } from "./fake-engine.ts";

const log = createLog("error");
const detect = async (dockerHost: string) =>
  (await detectRuntimes({ dockerHost, runtimeDirectory: "/nonexistent", log }))[0];

test("detectRuntimes reports an engine that answers", async () => {
  const engine = await fakeEngine({});
  const found = await detect(engine.address);
  engine.stop();
  expect(found).toMatchObject({
    type: "docker",
    available: true,
    version: "99",
    api_version: "1.45",
    cpus: 4,
    reason: null,
  });
});

test("detectRuntimes says why: no socket, no socket file, nobody behind it, too old, bad address", async () => {
  const directory = mkdtempSync(join(tmpdir(), "detect-"));
  writeFileSync(join(directory, "file"), "");
  const old = await fakeEngine({
    "/version": (_request, response) => json(response, { Version: "18.09", ApiVersion: "1.39" }),
  });
  const silent = await fakeEngine({ "/version": (_request, response) => response.destroy() });
  const reasons = {
    absent: (await detect(`unix://${directory}/none.sock`))?.reason,
    file: (await detect(`unix://${directory}/file`))?.reason,
    silent: (await detect(silent.address))?.reason,
    old: (await detect(old.address))?.reason,
    address: (await detect("ssh://box"))?.reason,
  };
  for (const engine of [old, silent]) engine.stop();
  rmSync(directory, { recursive: true });
  expect(reasons.absent).toStartWith("There is no engine socket at");
  expect(reasons.file).toEndWith("is not a socket.");
  expect(reasons.silent).toStartWith("Nothing answers at");
  expect(reasons.old).toContain("Docker Engine 20.10");
  expect(reasons.address).toContain("ssh://box");
});

test("detectRuntimes looks at every usual place, and with DOCKER_HOST at no other Docker", async () => {
  const everywhere = await detectRuntimes({ runtimeDirectory: "/run/user/4711", log });
  expect(everywhere.map((info) => info.address)).toEqual([
    "unix:///var/run/docker.sock",
    "unix:///run/user/4711/docker.sock",
    "unix:///run/podman/podman.sock",
    "unix:///run/user/4711/podman/podman.sock",
  ]);
  const told = await detectRuntimes({ dockerHost: "unix:///nonexistent.sock", log });
  expect(told.filter((info) => info.type === "docker").map((info) => info.address)).toEqual([
    "unix:///nonexistent.sock",
  ]);
});
