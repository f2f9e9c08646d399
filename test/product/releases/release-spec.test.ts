import { expect, test } from "bun:test";
import { DEFAULT_SETTINGS } from "../../../src/product/environments/settings.ts";
import {
  bytesOf,
  mountsOf,
  type ReleaseSpec,
  strategyOf,
} from "../../../src/product/releases/release-spec.ts";

const spec = (mounts: ReleaseSpec["mounts"]): ReleaseSpec => ({
  image: { tag: "t", id: "i" },
  site: null,
  provider: "node",
  hardened: true,
  processes: { web: { command: null, from: "" }, worker: { command: null, from: "" } },
  release_command: null,
  env: {},
  config: {},
  port: 8080,
  settings: DEFAULT_SETTINGS,
  mounts,
  commit: null,
});

test("strategyOf lets files stay whatever is mounted: nothing of theirs is shared", () => {
  const mounts = [{ volume: "v", process: "*", path: "/data", read_only: false }];
  expect(strategyOf({ ...spec(mounts), image: null, site: "s" }, "web")).toBe("rolling");
});

test("strategyOf forces recreate on what writes to a volume, and on nothing else", () => {
  const writable = spec([{ volume: "v", process: "worker", path: "/data", read_only: false }]);
  expect([strategyOf(writable, "web"), strategyOf(writable, "worker")]).toEqual(["rolling", "recreate"]);
  expect(strategyOf(spec([{ volume: "v", process: "*", path: "/data", read_only: true }]), "web")).toBe(
    "rolling",
  );
});

test("mountsOf gives a process its own mounts and everybody's", () => {
  const all = spec([
    { volume: "a", process: "*", path: "/a", read_only: false },
    { volume: "b", process: "worker", path: "/b", read_only: false },
  ]);
  expect(mountsOf(all, "web").map(({ volume }) => volume)).toEqual(["a"]);
  expect(mountsOf(all, "worker").map(({ volume }) => volume)).toEqual(["a", "b"]);
});

test("bytesOf reads sizes", () => {
  expect([bytesOf("512m"), bytesOf("1g"), bytesOf("64k"), bytesOf("1000")]).toEqual([
    536870912, 1073741824, 65536, 1000,
  ]);
});
