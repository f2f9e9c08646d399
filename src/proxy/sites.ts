import { join } from "node:path";
import { terse } from "../errors.ts";
import type { Log } from "../log.ts";
import { ConditionalFields } from "./conditional-fields.ts";
import { CodingChoice } from "./content-coding.ts";
import { FileSender } from "./file-sender.ts";
import { HttpClock } from "./http-date.ts";
import { PreparedFiles } from "./prepared-files.ts";
import { Site } from "./site.ts";
import { SITES, SiteDirectory } from "./site-directory.ts";
import { checkSiteManifest } from "./site-manifest.ts";

export const MANIFEST = "manifest.json";
/** A hundred thousand files. */
const MANIFEST_BYTES = 64 * 1024 * 1024;
const SWEEP_MS = 60_000;
/** A site that nobody asked for is forgotten; its manifest is read again in a moment. */
const UNUSED_MS = 600_000;
/** What could not be loaded is not tried for each request. */
const RETRY_MS = 1_000;

export interface SitesOptions {
  /** The proxy's own. */
  directory: string;
  log: Log;
  /** Bytes of prepared answers in memory, of all sites together. */
  cacheBytes: number;
}

/** The static releases in use by this process, loaded at their first request. */
export class Sites {
  readonly codings = new CodingChoice();
  readonly clock = new HttpClock();
  readonly prepared: PreparedFiles;
  /** What the request at hand asks for; used within one event, never across. */
  readonly asked = new ConditionalFields();
  private readonly loaded = new Map<string, Site>();
  private readonly failedAt = new Map<string, number>();
  private ways: FileSender | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: SitesOptions) {
    this.prepared = new PreparedFiles(options.cacheBytes);
  }

  /** For files that are not kept in memory. */
  get sender(): FileSender {
    this.ways ??= new FileSender();
    return this.ways;
  }

  /** Undefined: it cannot be loaded; the log says why. */
  get(name: string): Site | undefined {
    const site = this.loaded.get(name) ?? this.load(name);
    if (site !== undefined) site.lastUsed = performance.now();
    return site;
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Forgets what was not asked for since `before`. */
  sweep(before = performance.now() - UNUSED_MS): void {
    this.failedAt.clear();
    for (const site of this.loaded.values()) if (site.lastUsed <= before) this.forget(site);
    if (this.loaded.size === 0) this.stop();
  }

  /** Something of it is not as its manifest said. It may have been mended since: the next request reads it again. */
  distrust(site: Site): void {
    if (performance.now() - site.loadedAt > RETRY_MS) this.forget(site);
  }

  private forget(site: Site): void {
    this.loaded.delete(site.name);
    for (const file of site.allFiles()) this.prepared.forget(file);
  }

  private load(name: string): Site | undefined {
    const failed = this.failedAt.get(name);
    if (failed !== undefined && performance.now() - failed < RETRY_MS) return undefined;
    try {
      const site = loadSite(this.options.directory, name);
      this.loaded.set(name, site);
      this.failedAt.delete(name);
      this.timer ??= setInterval(() => this.sweep(), SWEEP_MS);
      this.timer.unref();
      return site;
    } catch (error) {
      this.failedAt.set(name, performance.now());
      this.options.log.error("a static release cannot be read", { site: name, error: terse(error) });
      return undefined;
    }
  }
}

/** Reads and checks a static release below the proxy's directory. Throws when its manifest is missing or invalid. */
export function loadSite(proxyDirectory: string, name: string): Site {
  const directory = new SiteDirectory(join(proxyDirectory, SITES), name);
  const manifest = checkSiteManifest(JSON.parse(directory.read(MANIFEST, MANIFEST_BYTES).toString()));
  return new Site(name, directory, manifest);
}
