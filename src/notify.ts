import { dlopen, ptr } from "bun:ffi";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
} as const;

export interface Notifier {
  /** Tells systemd that the service is up, and from then on that it is alive. */
  ready(): void;
  /** Tells systemd that the service is on its way down; ends the watchdog. */
  stopping(): void;
}

const SILENT: Notifier = { ready() {}, stopping() {} };

/**
 * systemd's notification protocol (sd_notify(3)): READY=1, STOPPING=1 and WATCHDOG=1 at half the watchdog's period.
 * Bun has no unix datagram sockets, hence the C library. Without a notify socket, or without ffi, it does nothing.
 */
export function createNotifier(systemd: {
  notifySocket: string | undefined;
  watchdogMs: number | undefined;
}): Notifier {
  if (systemd.notifySocket === undefined) return SILENT;
  const send = openNotifySocket(systemd.notifySocket);
  if (send === undefined) return SILENT;
  let watchdog: ReturnType<typeof setInterval> | undefined;
  return {
    ready() {
      send("READY=1");
      if (systemd.watchdogMs === undefined || watchdog !== undefined) return;
      watchdog = setInterval(() => send("WATCHDOG=1"), systemd.watchdogMs / 2);
      watchdog.unref();
    },
    stopping() {
      clearInterval(watchdog);
      send("STOPPING=1");
    },
  };
}

function openNotifySocket(path: string): ((message: string) => void) | undefined {
  const libc = openLibc();
  const name = Buffer.from(path);
  if (libc === undefined || name.length > 107) return undefined;
  const address = new Uint8Array(110);
  address[0] = AF_UNIX;
  address.set(name, 2);
  // A name that starts with @ lives in the abstract namespace, spelled with a NUL.
  if (address[2] === 0x40) address[2] = 0;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return undefined;
  return (message) => {
    const bytes = Buffer.from(message);
    libc.sendto(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL, ptr(address), 2 + name.length);
  };
}

function openLibc() {
  for (const name of ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`]) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {}
  }
  return undefined;
}
