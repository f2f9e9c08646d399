import { dlopen, ptr, read } from "bun:ffi";

const SYMBOLS = {
  flock: { args: ["i32", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  sendfile: { args: ["i32", "i32", "ptr", "u64"], returns: "i64" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

export type Libc = ReturnType<typeof openLibc>;

/** The C library: glibc, else musl. For what Bun has no call for: locks, sockets shared by processes, passing them on. */
export function openLibc() {
  try {
    return dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return dlopen(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, SYMBOLS).symbols;
  }
}

const ERRORS: Record<number, string> = { 13: "EACCES", 24: "EMFILE", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL" };

/** Name of the error of the call just made. */
export function lastError(libc: Libc): string {
  const location = libc.__errno_location();
  const errno = location === null ? 0 : read.i32(location);
  return ERRORS[errno] ?? `errno ${errno}`;
}

const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of the same socket, not passed on to children. */
export function duplicate(libc: Libc, fd: number): number {
  const copy = libc.fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw new Error(`dup: ${lastError(libc)}`);
  return copy;
}

export { ptr };
