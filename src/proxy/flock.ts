import { dlopen } from "bun:ffi";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Takes an exclusive flock(2) without waiting. False: another process has it. It is freed when the process ends, kill -9 included. */
export function flockExclusive(fd: number): boolean {
  const libc = dlopen(libcName(), { flock: { args: ["i32", "i32"], returns: "i32" } });
  try {
    return libc.symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
  } finally {
    libc.close();
  }
}

/** The C library by its file name: glibc, else musl. */
export function libcName(): string {
  try {
    dlopen("libc.so.6", { getpid: { args: [], returns: "i32" } }).close();
    return "libc.so.6";
  } catch {
    return `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  }
}
