import { BlockList, isIP } from "node:net";

/** Addresses given as CIDR. */
export class PeerSet {
  private readonly list = new BlockList();
  private readonly empty: boolean;

  /** Throws on anything that is no CIDR. */
  constructor(cidrs: string[]) {
    this.empty = cidrs.length === 0;
    for (const cidr of cidrs) {
      const [address = "", bits] = cidr.split("/");
      const family = isIP(address);
      const width = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
      if (
        family === 0 ||
        (bits !== undefined && !/^\d{1,3}$/.test(bits)) ||
        width > (family === 4 ? 32 : 128)
      )
        throw new Error(`"${cidr}" is not an address or CIDR`);
      this.list.addSubnet(address, width, family === 4 ? "ipv4" : "ipv6");
    }
  }

  has(address: string): boolean {
    if (this.empty) return false;
    const family = isIP(address);
    return family !== 0 && this.list.check(address, family === 4 ? "ipv4" : "ipv6");
  }

  /** The last address of a comma-separated chain that is none of these: who stands before the proxies that are believed. */
  originIn(chain: string): string {
    const addresses = chain.split(",").map((each) => each.trim());
    return addresses.findLast((address) => !this.has(address)) ?? addresses[0]!;
  }
}
