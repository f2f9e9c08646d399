import { networkInterfaces } from "node:os";

/** Interfaces that lead to containers or virtual machines, never to the LAN. */
const VIRTUAL = /^(lo|docker|br-|veth|virbr|podman|cni|tun|tap|wg|tailscale|zt)/;

/** The IPv4 address under which others on the network reach this box; loopback when it has none. */
export function lanAddress(): string {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (!VIRTUAL.test(name))
      for (const address of addresses ?? [])
        if (address.family === "IPv4" && !address.internal && !address.address.startsWith("169.254."))
          return address.address;
  return "127.0.0.1";
}
