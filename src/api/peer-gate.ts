import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { DiploError } from "../errors.ts";

// RFC 1918, RFC 3927, RFC 4193, RFC 4291, loopback. Not 100.64.0.0/10: providers put strangers there.
const PRIVATE = subnets([
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
]);

export interface PeerGateOptions {
  /** Answer peers outside private networks too. */
  publicToo: boolean;
  /** CIDRs of every engine network, as they are now. */
  engineSubnets: () => readonly string[];
  /** The box's own addresses: whoever asks from one of them sits on the box. Default: its interfaces'. */
  ownAddresses?: () => readonly string[];
}

/**
 * Who may talk to the control listener at all. Containers reach it by gateway and LAN address, even from `internal`
 * networks; the source address tells them.
 */
export class PeerGate {
  #engine = { key: "", list: new BlockList() };

  constructor(private readonly options: PeerGateOptions) {}

  /** Throws `container_refused` or `peer_refused` (403). */
  admit(ip: string): void {
    if (has(this.#engineList(), ip))
      throw new DiploError("container_refused", `peer ${ip} is a container`, {
        status: 403,
        detail: "Apps cannot reach Diplo's own door.",
      });
    if (this.options.publicToo || has(PRIVATE, ip) || this.#own().includes(ip)) return;
    throw new DiploError("peer_refused", `peer ${ip} is outside private networks`, {
      status: 403,
      detail: "This box answers its own network only.",
      hint: "Start diplo serve with --control-public to change that.",
    });
  }

  #own(): readonly string[] {
    return (
      this.options.ownAddresses?.() ??
      Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
    );
  }

  #engineList(): BlockList {
    const cidrs = this.options.engineSubnets();
    const key = cidrs.join();
    if (key !== this.#engine.key) this.#engine = { key, list: subnets(cidrs) };
    return this.#engine.list;
  }
}

function has(list: BlockList, ip: string): boolean {
  const address = ip.replace(/%.*$/, "");
  return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function subnets(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits] = cidr.split("/");
    list.addSubnet(address, Number(bits), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return list;
}
