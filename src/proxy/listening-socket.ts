import { isIP } from "node:net";
import { type Libc, lastError, ptr } from "./libc.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const BACKLOG = 4096;

/**
 * Listening sockets on one address, one for each worker; the kernel spreads connections over them. They belong to the
 * parent, so that what waits in them outlives a worker. Returns descriptors, or the error's name. `exclusive`: refuse an
 * address that any other socket has.
 */
export function openListeningSockets(
  libc: Libc,
  host: string,
  port: number,
  count: number,
  exclusive = true,
): number[] | string {
  const taken = exclusive ? addressTaken(libc, host, port) : undefined;
  if (taken !== undefined) return taken;
  const sockets: number[] = [];
  for (let i = 0; i < count; i++) {
    const socket = openSocket(libc, host, port, true);
    if (typeof socket === "string") {
      for (const open of sockets) libc.close(open);
      return socket;
    }
    sockets.push(socket);
  }
  return sockets;
}

/** SO_REUSEPORT would share an address with any process of the same user; only a bind without it tells that it is free. */
function addressTaken(libc: Libc, host: string, port: number): string | undefined {
  const probe = openSocket(libc, host, port, false);
  if (typeof probe === "string") return probe;
  libc.close(probe);
  return undefined;
}

function openSocket(libc: Libc, host: string, port: number, shared: boolean): number | string {
  const fd = libc.socket(isIP(host) === 6 ? AF_INET6 : AF_INET, SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) return lastError(libc);
  const on = new Int32Array([1]);
  libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ptr(on), 4);
  if (shared) libc.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, ptr(on), 4);
  const address = socketAddress(host, port);
  const failed =
    libc.bind(fd, ptr(address), address.length) !== 0 || (shared && libc.listen(fd, BACKLOG) !== 0);
  if (!failed) return fd;
  const error = lastError(libc);
  libc.close(fd);
  return error;
}

/** sockaddr_in or sockaddr_in6: family in host order, port and address in network order. */
function socketAddress(host: string, port: number): Uint8Array {
  const six = isIP(host) === 6;
  const bytes = new Uint8Array(six ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, six ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  bytes.set(six ? sixBytes(host) : host.split(".").map(Number), six ? 8 : 4);
  return bytes;
}

function sixBytes(host: string): number[] {
  const words = (text: string) => text.split(":").filter(Boolean).flatMap(wordBytes);
  const [head = "", tail] = host.split("::");
  const [first, last] = [words(head), tail === undefined ? [] : words(tail)];
  return [...first, ...new Array(16 - first.length - last.length).fill(0), ...last];
}

function wordBytes(word: string): number[] {
  if (word.includes(".")) return word.split(".").map(Number);
  const value = Number.parseInt(word, 16);
  return [value >> 8, value & 0xff];
}

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** In `struct tcp_info`; of a listening socket it holds the length of the accept queue (Linux, net/ipv4/tcp.c). */
const TCPI_UNACKED_AT = 24;

/** Connections that are made and wait in the queue of a listening socket for somebody to take them. */
export function waitingConnections(libc: Libc, fd: number): number {
  const info = new Uint32Array(32);
  const size = new Uint32Array([info.byteLength]);
  if (libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(size)) !== 0) return 0;
  return info[TCPI_UNACKED_AT / 4]!;
}

const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_DETACH_REUSEPORT_BPF = 68;
const BPF_RET_K = 0x06;

/**
 * Has the kernel give all new connections of an address to the first socket that was added after `older` others, so
 * that their owner can empty its queues and close without losing anybody (socket(7)). The first one, because the kernel
 * fills the place of one that closes with the last of all: only the place that follows the older ones is surely not
 * theirs until all of them are gone, provided that as many have been added.
 */
export function preferNewest(libc: Libc, fd: number, older: number): boolean {
  const program = new ArrayBuffer(8);
  const view = new DataView(program);
  view.setUint16(0, BPF_RET_K, true);
  view.setUint32(4, older, true);
  const filter = new Uint8Array(program);
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, 1, true);
  header.setBigUint64(8, BigInt(ptr(filter)), true);
  return libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, ptr(header), 16) === 0;
}

/** The kernel spreads new connections over the sockets of the address again. */
export function preferNone(libc: Libc, fd: number): void {
  libc.setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, ptr(new Int32Array(1)), 4);
}
