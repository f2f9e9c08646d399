import { readdir, readFile, statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";

export interface Size {
  total_bytes: number;
  used_bytes: number;
  free_bytes: number;
}

/** What the kernel tells of the machine. `root` stands for `/` in tests. */
export class Machine {
  constructor(private readonly root = "/") {}

  /** Memory as a person counts it: what could be given to programs is free, caches included (proc(5), MemAvailable). */
  async memory(): Promise<Size> {
    const text = await this.text("proc/meminfo");
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
    const [total, available] = [bytes("MemTotal"), bytes("MemAvailable")];
    return { total_bytes: total, used_bytes: total - available, free_bytes: available };
  }

  /** The file system that holds a path, or will hold it. Free is what an ordinary user may still fill. */
  async disk(path: string): Promise<Size> {
    const facts = await statfs(path).catch((error) => {
      if (error.code === "ENOENT" && path !== "/") return null;
      throw error;
    });
    if (!facts) return this.disk(dirname(path));
    const { bsize, blocks, bfree, bavail } = facts;
    return { total_bytes: blocks * bsize, used_bytes: (blocks - bfree) * bsize, free_bytes: bavail * bsize };
  }

  /** The hottest of the machine's sensors in °C; null where it has none. */
  async temperature(): Promise<number | null> {
    const zones = await readdir(join(this.root, "sys/class/thermal")).catch(() => []);
    const texts = await Promise.all(zones.map((zone) => this.text(`sys/class/thermal/${zone}/temp`)));
    // Millidegrees; a sensor that is off says 0, or something impossible.
    const degrees = texts
      .map((text) => Number.parseInt(text, 10) / 1000)
      .filter((value) => value > 0 && value < 150);
    return degrees.length > 0 ? Math.max(...degrees) : null;
  }

  async uptimeSeconds(): Promise<number> {
    return Math.floor(Number.parseFloat(await this.text("proc/uptime")) || 0);
  }

  load(): number[] {
    return loadavg();
  }

  /** A small file's text; "" when it is absent or not ours to read. */
  async text(path: string): Promise<string> {
    return readFile(join(this.root, path), "utf8").catch(() => "");
  }
}
