import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DiploError } from "../../errors.ts";
import type { SiteManifest } from "../../proxy/protocol.ts";
import { mapLimited } from "../runtime/docker/map-limited.ts";
import { type Coding, SUFFIX } from "./compress.ts";
import { sync, syncAll, writeNewFile } from "./write-file.ts";
import { type SiteContent, type WrittenSite, writeSite } from "./write-site.ts";

const ID = /^[a-z0-9]{1,64}$/;
const MANIFEST = "manifest.json";
const UNFINISHED = ".new";

/**
 * Directories of static releases below the proxy's own (protocol.ts, SiteManifest). Control writes and removes them,
 * the proxy reads them; a site never changes once it has its name.
 */
export class Sites {
  constructor(private readonly directory: string) {}

  /**
   * Writes a site under its name, or finds it written: whatever moment an earlier attempt was killed at, there is the
   * whole site or none. `replace` puts it in the place of a damaged one; `like` is a site that may share its files.
   * Answers what a person should know. Throws `site_empty`, `site_too_large`, `disk_full`.
   */
  async write(
    id: string,
    content: SiteContent,
    {
      signal,
      like = null,
      replace = false,
    }: { signal: AbortSignal; like?: string | null; replace?: boolean },
  ): Promise<WrittenSite> {
    const target = this.path(id);
    const written = replace ? null : await this.manifest(id);
    if (written) return { manifest: written, warnings: [] };
    const unfinished = target + UNFINISHED;
    await rm(unfinished, { recursive: true, force: true });
    try {
      await mkdir(unfinished, { recursive: true, mode: 0o750 });
      const earlier = like === null ? null : await this.manifest(like);
      const known = earlier && { directory: this.path(like as string), manifest: earlier };
      const site = await writeSite(unfinished, content, { known, signal });
      await writeNewFile(join(unfinished, MANIFEST), one(Buffer.from(JSON.stringify(site.manifest))));
      await this.finish(unfinished, target);
      return site;
    } catch (error) {
      // Half a site must not keep the disk full that it filled.
      await rm(unfinished, { recursive: true, force: true });
      throw explained(error);
    }
  }

  /** null when there is no such site, or nothing that can be read as one. */
  async manifest(id: string): Promise<SiteManifest | null> {
    const read = await this.read(id);
    return typeof read === "string" ? null : read.manifest;
  }

  /** What a site lacks, in words; null when every file of its manifest is there in its size. */
  async fault(id: string): Promise<string | null> {
    const read = await this.read(id);
    if (typeof read === "string") return `its manifest is ${read}`;
    const { sizes } = read;
    const wrong = await mapLimited([...sizes], async ([name, size]) => {
      const facts = await stat(join(this.path(id), name)).catch(() => null);
      return facts?.size !== size;
    });
    const count = wrong.filter(Boolean).length;
    return count === 0 ? null : `${count} of its ${sizes.size} files are missing or cut short`;
  }

  /** Changes whenever a file is added to or removed from a site; null when there is none. Costs one look. */
  async version(id: string): Promise<number | null> {
    return (await stat(this.path(id)).catch(() => null))?.mtimeMs ?? null;
  }

  /** Absent is fine. What a killed attempt left goes too. */
  async remove(id: string): Promise<void> {
    await rm(this.path(id), { recursive: true, force: true });
    await rm(this.path(id) + UNFINISHED, { recursive: true, force: true });
  }

  /** Every site there is, unfinished ones included. */
  async list(): Promise<string[]> {
    const names = await readdir(this.directory).catch(() => []);
    return [...new Set(names.map((name) => name.replace(UNFINISHED, "")))].filter((name) => ID.test(name));
  }

  private async finish(unfinished: string, target: string): Promise<void> {
    await this.giveToGroup(unfinished);
    await chmod(unfinished, 0o750);
    await syncAll(unfinished);
    await rm(target, { recursive: true, force: true });
    await rename(unfinished, target);
    await sync(this.directory);
  }

  /** The group of the directory above is the proxy's. Where that one is setgid, as install.sh makes it, all have it. */
  private async giveToGroup(site: string): Promise<void> {
    const { gid } = await stat(this.directory);
    if ((await stat(site)).gid === gid) return;
    await mapLimited([site, ...(await readdir(site)).map((name) => join(site, name))], (path) =>
      chown(path, -1, gid),
    );
  }

  /** The manifest, and the bytes of every file and variant by its name on disk; or what is wrong. */
  private async read(
    id: string,
  ): Promise<{ manifest: SiteManifest; sizes: Map<string, number> } | "missing" | "damaged"> {
    const text = await readFile(join(this.path(id), MANIFEST), "utf8").catch(() => null);
    if (text === null) return "missing";
    try {
      const manifest = JSON.parse(text) as SiteManifest;
      return { manifest, sizes: sizesIn(manifest) };
    } catch {
      return "damaged";
    }
  }

  private path(id: string): string {
    if (!ID.test(id)) throw new Error(`"${id}" is no site`);
    return join(this.directory, id);
  }
}

function sizesIn({ files }: SiteManifest): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { sha256, size, variants } of Object.values(files)) {
    sizes.set(sha256, size);
    for (const [coding, bytes] of Object.entries(variants))
      sizes.set(sha256 + SUFFIX[coding as Coding], bytes);
  }
  return sizes;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function explained(error: unknown): unknown {
  const code = (error as { code?: string }).code ?? "";
  if (code === "ENOSPC" || code === "EDQUOT")
    return new DiploError("disk_full", "no space left for the site", {
      detail: "The disk is full, so the site could not be written.",
      hint: "Free some space and deploy again.",
      cause: error,
    });
  if (code === "EACCES" || code === "EPERM")
    return new DiploError("sites_unwritable", `the sites cannot be written: ${(error as Error).message}`, {
      detail: "Diplo may not write to the directory that its proxy serves sites from.",
      hint: "Run install.sh again: it gives the directory to both.",
      cause: error,
    });
  return error;
}
