import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { conflict, DiploError } from "../../errors.ts";

/** Size of an environment's network: 64 addresses, of which 54 are for instances and 7 for one-off containers. */
const ENVIRONMENT_PREFIX = 26;

/** An address of the subnet that is, or was, recorded for an instance. */
export interface UsedAddress {
  address: string;
  /** Milliseconds since 1970; null while an instance has it. */
  released_at: number | null;
}

/** A route of the host, the default route left out. */
export interface HostRoute {
  cidr: string;
  interface: string;
}

interface Range {
  first: number;
  last: number;
}

/** True when the two CIDRs share an address. */
export function overlaps(a: string, b: string): boolean {
  const [left, right] = [range(a), range(b)];
  return left.first <= right.last && right.first <= left.last;
}

/**
 * The first /26 of the pool that overlaps nothing in `taken`: networks recorded for other environments, the
 * engine's networks, the host's routes. Throws `pool_exhausted`.
 */
export function freeSubnet(pool: string, taken: string[]): string {
  const { first, last } = range(pool);
  const size = 2 ** (32 - ENVIRONMENT_PREFIX);
  const blocked = taken.map(range);
  for (let start = first; start + size - 1 <= last; start += size) {
    const end = start + size - 1;
    if (!blocked.some((other) => start <= other.last && other.first <= end))
      return `${format(start)}/${ENVIRONMENT_PREFIX}`;
  }
  throw conflict(
    "pool_exhausted",
    `no free /${ENVIRONMENT_PREFIX} is left in the pool ${pool}`,
    "Give a larger --pool.",
  );
}

/**
 * The address in the subnet that has been out of use longest: never-used ones first, then by release time, so that
 * peers which still remember an address do not meet a stranger there. Live ones are never answered; one released
 * less than 10 minutes ago only when every other is live or younger still. Throws `addresses_exhausted`.
 */
export function freeAddress(subnet: string, used: UsedAddress[]): string {
  const released = new Map(used.map((entry) => [entry.address, entry.released_at]));
  let best: { address: string; at: number } | null = null;
  for (const address of instanceAddresses(subnet)) {
    const at = released.has(address) ? released.get(address) : Number.NEGATIVE_INFINITY;
    if (at === Number.NEGATIVE_INFINITY) return address;
    if (typeof at === "number" && (best === null || at < best.at)) best = { address, at };
  }
  if (best) return best.address;
  throw conflict(
    "addresses_exhausted",
    `every address of ${subnet} is in use`,
    "Scale this environment down.",
  );
}

/** The bridge's own address: the subnet's first. */
export function gatewayOf(subnet: string): string {
  return format(range(subnet).first + 1);
}

/** The last eighth of a subnet, from which the engine itself serves containers without a recorded address. */
export function dynamicRange(subnet: string): string {
  const { first, last } = range(subnet);
  const size = (last - first + 1) / 8;
  return `${format(last - size + 1)}/${Number(subnet.split("/")[1]) + 3}`;
}

/** True for an address inside the CIDR. IPv4-mapped IPv6 spelling is understood. */
export function contains(cidr: string, address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  if (!isIPv4(plain)) return false;
  const { first, last } = range(cidr);
  const number = parse(plain);
  return first <= number && number <= last;
}

/**
 * Refuses a pool that hides part of the host's own network. Routes of the engine's bridges do not count: they are
 * our own networks, or ones that `freeSubnet` avoids; with the engine down only their interface names tell.
 */
export function checkPool(pool: string, routes: HostRoute[], engineSubnets: string[] = []): void {
  const clash = routes.find(
    (route) =>
      overlaps(pool, route.cidr) && !isEngineBridge(route.interface) && !engineSubnets.includes(route.cidr),
  );
  if (!clash) return;
  const why = `the pool ${pool} overlaps the host's route ${clash.cidr} (${clash.interface})`;
  throw new DiploError("bad_setting", why, {
    detail: `The app networks' ${why}: machines there would become unreachable.`,
    hint: "Choose a range that this network does not use, for example --pool 172.29.0.0/16 (DIPLO_POOL).",
  });
}

// Docker names a network's bridge after its id; the others are its defaults and Podman's.
const ENGINE_BRIDGE = /^(br-[0-9a-f]{12}|docker0|docker_gwbridge|podman\d+|cni-podman\d+)$/;

export function isEngineBridge(name: string): boolean {
  return ENGINE_BRIDGE.test(name);
}

/** The host's IPv4 routes from the kernel's table. Throws nothing on hosts without one: they answer []. */
export async function readRoutes(path = "/proc/net/route"): Promise<HostRoute[]> {
  const table = await readFile(path, "utf8").catch(() => "");
  return parseRoutes(table);
}

/** CIDRs of the host's routes. */
export async function hostRoutes(path?: string): Promise<string[]> {
  return (await readRoutes(path)).map((route) => route.cidr);
}

/** Lines of /proc/net/route: interface, destination and mask as little-endian hexadecimal (proc(5)). */
export function parseRoutes(table: string): HostRoute[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter((columns) => /^[0-9A-F]{8}$/i.test(columns[1] ?? "") && /^[0-9A-F]{8}$/i.test(columns[7] ?? ""))
    .map((columns) => ({
      interface: columns[0] ?? "",
      destination: columns[1] ?? "",
      mask: columns[7] ?? "",
    }))
    .filter((route) => route.mask !== "00000000")
    .map((route) => ({
      interface: route.interface,
      cidr: `${format(littleEndian(route.destination))}/${bitsSet(littleEndian(route.mask))}`,
    }));
}

function* instanceAddresses(subnet: string): Generator<string> {
  const dynamic = range(dynamicRange(subnet));
  // Network address and gateway come first.
  for (let number = range(subnet).first + 2; number < dynamic.first; number++) yield format(number);
}

function range(cidr: string): Range {
  const [address = "", bits = "32"] = cidr.split("/");
  const prefix = Number(bits);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || prefix > 32)
    throw new Error(`not an IPv4 network: ${cidr}`);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(parse(address) / size) * size;
  return { first, last: first + size - 1 };
}

function parse(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function format(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

function littleEndian(hex: string): number {
  return Number.parseInt(hex.match(/../g)?.reverse().join("") ?? "0", 16);
}

function bitsSet(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}
