import { describe, expect, test } from "bun:test";
import {
  checkPool,
  contains,
  dynamicRange,
  freeAddress,
  freeSubnet,
  gatewayOf,
  hostRoutes,
  overlaps,
  parseRoutes,
} from "../../../src/engine/network/address-plan.ts";

const POOL = "10.213.0.0/16";
const SUBNET = "10.213.0.64/26";

describe("overlaps", () => {
  test("is true for equal, containing and contained networks, whichever comes first", () => {
    expect(overlaps("10.0.0.0/8", "10.213.0.0/16")).toBe(true);
    expect(overlaps("10.213.0.0/16", "10.0.0.0/8")).toBe(true);
    expect(overlaps("10.213.0.0/26", "10.213.0.0/26")).toBe(true);
  });

  test("is false for neighbours, and counts high addresses as unsigned", () => {
    expect(overlaps("10.213.0.0/26", "10.213.0.64/26")).toBe(false);
    expect(overlaps("192.168.0.0/16", "224.0.0.0/4")).toBe(false);
    expect(overlaps("0.0.0.0/0", "255.255.255.255/32")).toBe(true);
  });

  test("takes host bits for what they are: an address inside the network", () => {
    expect(overlaps("10.213.0.17/26", "10.213.0.40/32")).toBe(true);
  });

  test("throws on what is no IPv4 network", () => {
    for (const bad of ["fd00::/64", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/x"])
      expect(() => overlaps(bad, POOL)).toThrow("not an IPv4 network");
  });
});

describe("freeSubnet", () => {
  test("answers the first /26 of an empty pool", () => {
    expect(freeSubnet(POOL, [])).toBe("10.213.0.0/26");
  });

  test("steps over the engine's networks and the host's routes, larger or smaller than a /26", () => {
    expect(freeSubnet(POOL, ["10.213.0.0/24", "10.213.1.70/32", "172.17.0.0/16"])).toBe("10.213.1.0/26");
    expect(freeSubnet(POOL, ["10.213.0.0/24", "10.213.1.7/32"])).toBe("10.213.1.64/26");
  });

  test("fills a pool completely before it says that it is exhausted", () => {
    const taken: string[] = [];
    for (let count = 0; count < 4; count++) taken.push(freeSubnet("10.9.8.0/24", taken));
    expect(new Set(taken).size).toBe(4);
    expect(() => freeSubnet("10.9.8.0/24", taken)).toThrow("no free /26");
  });
});

describe("freeAddress", () => {
  test("starts after network address and gateway", () => {
    expect(freeAddress(SUBNET, [])).toBe("10.213.0.66");
    expect(gatewayOf(SUBNET)).toBe("10.213.0.65");
  });

  test("never answers a live address, nor one in the engine's own range", () => {
    const used: { address: string; released_at: number | null }[] = [];
    for (;;) {
      try {
        used.push({ address: freeAddress(SUBNET, used), released_at: null });
      } catch (error) {
        expect((error as { code: string }).code).toBe("addresses_exhausted");
        break;
      }
    }
    expect(new Set(used.map((entry) => entry.address)).size).toBe(54);
    expect(dynamicRange(SUBNET)).toBe("10.213.0.120/29");
    expect(used.some((entry) => contains(dynamicRange(SUBNET), entry.address))).toBe(false);
  });

  test("prefers never-used addresses over released ones, however long ago", () => {
    expect(freeAddress(SUBNET, [{ address: "10.213.0.66", released_at: 1 }])).toBe("10.213.0.67");
  });

  test("answers the one released longest ago when all were used, even within ten minutes", () => {
    const now = Date.now();
    const used = Array.from({ length: 54 }, (_, index) => ({
      address: `10.213.0.${66 + index}`,
      released_at: index === 0 ? null : now - 1000 * index,
    }));
    expect(freeAddress(SUBNET, used)).toBe("10.213.0.119");
  });
});

describe("contains", () => {
  test("understands IPv4-mapped spelling and knows nothing of other IPv6", () => {
    expect(contains(SUBNET, "::ffff:10.213.0.70")).toBe(true);
    expect(contains(SUBNET, "10.213.0.128")).toBe(false);
    expect(contains("0.0.0.0/0", "::1")).toBe(false);
  });
});

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0101A8C0	0003	0	0	0	00000000	0	0	0
eth0	0001A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
br-0123456789ab	0000D50A	00000000	0001	0	0	0	C0FFFFFF	0	0	0
wg0	0000D50A	00000000	0001	0	0	0	0000FFFF	0	0	0
`;

describe("parseRoutes", () => {
  test("reads little-endian hexadecimal and leaves the default route out", () => {
    expect(parseRoutes(ROUTES)).toEqual([
      { interface: "eth0", cidr: "192.168.1.0/24" },
      { interface: "br-0123456789ab", cidr: "10.213.0.0/26" },
      { interface: "wg0", cidr: "10.213.0.0/16" },
    ]);
  });

  test("hostRoutes answers nothing where the kernel's table is missing", async () => {
    expect(await hostRoutes("/nonexistent/route")).toEqual([]);
    expect((await hostRoutes()).every((cidr) => /^[\d.]+\/\d+$/.test(cidr))).toBe(true);
  });
});

describe("checkPool", () => {
  test("names the conflicting route and the setting", () => {
    const error = (() => {
      try {
        checkPool(POOL, parseRoutes(ROUTES));
        return null;
      } catch (thrown) {
        return thrown as { code: string; message: string; hint: string };
      }
    })();
    expect(error?.code).toBe("bad_setting");
    expect(error?.message).toContain("10.213.0.0/16 (wg0)");
    expect(error?.hint).toContain("--pool");
  });

  test("takes no offence at the engine's bridges, whether it answers or not", () => {
    checkPool(POOL, [{ interface: "br-0123456789ab", cidr: "10.213.0.0/26" }]);
    checkPool(POOL, [{ interface: "lan7", cidr: "10.213.0.0/26" }], ["10.213.0.0/26"]);
    expect(() => checkPool(POOL, [{ interface: "br-lan", cidr: "10.213.0.0/26" }])).toThrow("br-lan");
  });
});
