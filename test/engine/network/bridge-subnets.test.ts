import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BridgeSubnets } from "../../../src/engine/network/bridge-subnets.ts";

const HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
const LAN = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const BRIDGE = "br-0123456789ab\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

test("BridgeSubnets.list knows engines' networks, also ones made later, and never the LAN", async () => {
  const directory = await mkdtemp(join(tmpdir(), "diplo-routes-"));
  const path = join(directory, "route");
  await writeFile(path, HEAD + LAN);
  const bridges = new BridgeSubnets(path);
  expect(bridges.list(0)).toEqual([]);
  await writeFile(path, HEAD + LAN + BRIDGE);
  expect(bridges.list(10_000)).toEqual(["172.18.0.0/16"]);
  await rm(directory, { recursive: true });
  expect(bridges.list(20_000)).toEqual([]);
});
