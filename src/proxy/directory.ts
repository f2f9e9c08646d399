import { closeSync, openSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DiploError } from "../errors.ts";
import { openLibc } from "./libc.ts";
import { ACCESS_LOG_DIRECTORY } from "./protocol.ts";
import { SITES } from "./site-directory.ts";

const LOCK_EX_NB = 2 | 4;
const LOCK_RETRY_MS = 10;

/**
 * The data plane's own directory. What was accepted last lies here, so that the proxy starts from it alone. One process
 * at a time holds it; the lock goes with the process, however that ends.
 */
export class ProxyDirectory {
  private lockFd: number | undefined;

  constructor(readonly path: string) {}

  /** Makes and locks the directory. Throws `proxy_running` when another proxy holds it for longer than `waitMs`. */
  async lock(waitMs = 0): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o750 });
    const fd = openSync(join(this.path, "lock"), "a", 0o600);
    const { flock } = openLibc();
    const until = performance.now() + waitMs;
    // Freed when the process ends, kill -9 included (flock(2)).
    while (flock(fd, LOCK_EX_NB) !== 0) {
      if (performance.now() >= until) {
        closeSync(fd);
        throw new DiploError("proxy_running", `another diplo proxy uses ${this.path}`, {
          hint: "Stop it first, or give this one another --data directory.",
        });
      }
      await Bun.sleep(LOCK_RETRY_MS);
    }
    this.lockFd = fd;
  }

  get socket(): string {
    return join(this.path, "proxy.sock");
  }

  /** The bytes last written under that name; undefined when there are none. */
  async read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.path, name));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Replaces a file so that after a power cut it is the old or the new one, whole, and durably the new one on return. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const target = join(this.path, name);
    const temporary = `${target}.new`;
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    const directory = await open(this.path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** Under the lock nobody else can be listening, so a socket file found here is a dead one. */
  async removeStaleSocket(): Promise<void> {
    await rm(this.socket, { force: true });
  }

  /**
   * Static releases, which the control plane writes and removes, and access logs, which it reads and removes: as another
   * user of the same group. A directory that is somebody else's already (install.sh gives `sites` to the control plane)
   * is left as it is.
   */
  async makeSharedDirectories(): Promise<void> {
    for (const name of [SITES, ACCESS_LOG_DIRECTORY]) {
      const path = join(this.path, name);
      await mkdir(path, { recursive: true });
      if ((await stat(path)).uid === process.getuid?.()) await chmod(path, 0o770);
    }
  }

  /** Owner and group may talk to the proxy: the control plane runs as another user of the same group. */
  async openSocketToGroup(): Promise<void> {
    await chmod(this.socket, 0o660);
  }

  /** Gives up the lock, if it is held. */
  close(): void {
    if (this.lockFd !== undefined) closeSync(this.lockFd);
    this.lockFd = undefined;
  }
}
