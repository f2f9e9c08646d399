import { lastError, openLibc, ptr } from "../../src/proxy/libc.ts";

const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
/** Below the range the kernel hands out for connections. */
const [FIRST, LAST] = [10_100, 32_000];

const libc = openLibc();

/**
 * Consecutive ports that nobody else gets while this process lives, and that refuse connections until somebody listens:
 * a socket is bound to each but does not listen, so that whoever sets SO_REUSEADDR, as servers do, may (ip(7)).
 */
export function freePorts(count: number): number[] {
  for (let tries = 0; tries < 200; tries++) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const ports = Array.from({ length: count }, (_, i) => first + i);
    if (reserve(ports)) return ports;
  }
  throw new Error(`no ${count} free ports in a row`);
}

export function freePort(): number {
  return freePorts(1)[0]!;
}

/** Takes these ports when all are free. */
export function reserve(ports: number[]): boolean {
  const sockets: number[] = [];
  for (const port of ports) {
    const socket = bound(port);
    if (socket === null) {
      for (const each of sockets) libc.close(each);
      return false;
    }
    sockets.push(socket);
  }
  return true;
}

/** `null`: somebody has it. Without SO_REUSEADDR at first, which alone tells that no other process reserved it. */
function bound(port: number): number | null {
  const fd = libc.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: ${lastError(libc)}`);
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  if (libc.bind(fd, ptr(address), address.length) !== 0) {
    libc.close(fd);
    return null;
  }
  libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ptr(new Int32Array([1])), 4);
  return fd;
}
