import { type Libc, lastError, ptr } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** The kernel takes 253 in one message. */
const PER_MESSAGE = 250;
const HEADER = 16;

/** Two connected sockets to pass descriptors through: ours, and the one for a child. */
export function openFdChannel(libc: Libc): { own: number; child: number } {
  const pair = new Int32Array(2);
  if (libc.socketpair(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, ptr(pair)) !== 0)
    throw new Error(`socketpair: ${lastError(libc)}`);
  return { own: pair[0]!, child: pair[1]! };
}

/** Passes descriptors to the process at the other end, in order; the sender keeps its own. Never waits. */
export function sendFds(libc: Libc, channel: number, fds: number[]): void {
  for (let at = 0; at < fds.length; at += PER_MESSAGE) {
    const batch = fds.slice(at, at + PER_MESSAGE);
    const message = messageOf(batch.length);
    message.view.setBigUint64(0, BigInt(HEADER + 4 * batch.length), true);
    message.view.setInt32(8, SOL_SOCKET, true);
    message.view.setInt32(12, SCM_RIGHTS, true);
    for (const [i, fd] of batch.entries()) message.view.setInt32(HEADER + 4 * i, fd, true);
    if (Number(libc.sendmsg(channel, ptr(message.header), MSG_DONTWAIT | MSG_NOSIGNAL)) !== 1)
      throw new Error(`sendmsg: ${lastError(libc)}`);
  }
}

/** Takes `count` descriptors that have been sent already. */
export function receiveFds(libc: Libc, channel: number, count: number): number[] {
  const fds: number[] = [];
  while (fds.length < count) {
    const message = messageOf(PER_MESSAGE);
    if (Number(libc.recvmsg(channel, ptr(message.header), MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) !== 1)
      throw new Error(`recvmsg: ${lastError(libc)}`);
    const size = Number(message.view.getBigUint64(0, true));
    for (let at = HEADER; at < size; at += 4) fds.push(message.view.getInt32(at, true));
  }
  return fds;
}

/** A msghdr with one byte of data and room for descriptors; 64-bit layout, equal on x86 and Arm. */
function messageOf(descriptors: number) {
  // Made from buffers: a small typed array moves when its `buffer` is first asked for, and pointers would be stale.
  const data = new Uint8Array(new ArrayBuffer(1));
  const control = new DataView(new ArrayBuffer(HEADER + Math.ceil(descriptors / 2) * 8));
  const vector = new BigUint64Array(new ArrayBuffer(16));
  vector.set([BigInt(ptr(data)), 1n]);
  const header = new BigUint64Array(new ArrayBuffer(56));
  header.set([0n, 0n, BigInt(ptr(vector)), 1n, BigInt(ptr(control)), BigInt(control.byteLength), 0n]);
  // The other arrays are only known to `header` as numbers: holding them here keeps them alive during the call.
  return { header, view: control, data, vector };
}
