import type { SiteManifest } from "./protocol.ts";
import type { SiteDirectory } from "./site-directory.ts";
import { FileOfSite } from "./site-file.ts";
import { HeaderRules } from "./site-headers.ts";
import { RedirectRules } from "./site-redirects.ts";

/** What a site says to a path. `location` lacks the request's query. */
export type Finding =
  | { kind: "file"; file: FileOfSite; status: 200 | 404 }
  | { kind: "redirect"; status: 301 | 302 | 303 | 307 | 308; location: string }
  /** To the same path with a slash at the end, or without the one that is there. */
  | { kind: "slash"; add: boolean }
  | { kind: "none" };

const NONE: Finding = { kind: "none" };
const ADD_SLASH: Finding = { kind: "slash", add: true };
const DROP_SLASH: Finding = { kind: "slash", add: false };

/** One loaded static release: which file or redirect answers which path. Knows paths of URLs only, none of the disk. */
export class Site {
  readonly headers: HeaderRules;
  /** Both on the monotonic clock. */
  readonly loadedAt = performance.now();
  lastUsed = 0;
  private readonly files = new Map<string, FileOfSite>();
  private readonly redirects: RedirectRules;
  private readonly index: string;
  private readonly fallback: Finding;

  constructor(
    readonly name: string,
    readonly directory: SiteDirectory,
    manifest: SiteManifest,
  ) {
    const texts = new Map<string, string>();
    /** One copy of what many files share. */
    const shared = (text: string): string => {
      const known = texts.get(text);
      if (known === undefined) texts.set(text, text);
      return known ?? text;
    };
    for (const [path, file] of Object.entries(manifest.files)) {
      const cacheControl = shared(manifest.cache_control ?? defaultCacheControl(path, file.type));
      this.files.set(path, new FileOfSite({ ...file, type: shared(file.type) }, cacheControl));
    }
    this.index = manifest.index;
    this.headers = new HeaderRules(manifest.headers);
    this.redirects = new RedirectRules(manifest.redirects);
    this.fallback = this.fallbackOf(manifest);
  }

  /** `path` is decoded, below the site's root, with its leading slash. */
  find(path: string): Finding {
    const own = this.resolve(path);
    const rule = this.redirects.find(path, own !== undefined);
    if (rule === undefined) return own ?? this.fallback;
    if (rule.status !== 200 && rule.status !== 404)
      return { kind: "redirect", status: rule.status, location: rule.to };
    const file = this.fileFor(rule.to);
    return file === undefined ? this.fallback : { kind: "file", file, status: rule.status };
  }

  allFiles(): Iterable<FileOfSite> {
    return this.files.values();
  }

  private resolve(path: string): Finding | undefined {
    const file = this.fileFor(path);
    if (file !== undefined) return { kind: "file", file, status: 200 };
    if (!path.endsWith("/")) return this.files.has(`${path}/${this.index}`) ? ADD_SLASH : undefined;
    return path.length > 1 && this.files.has(`${path.slice(0, -1)}.html`) ? DROP_SLASH : undefined;
  }

  /** The file itself, the index of a directory, or the page whose name was given without `.html`. */
  private fileFor(path: string): FileOfSite | undefined {
    const { files } = this;
    return files.get(path) ?? files.get(path.endsWith("/") ? path + this.index : `${path}.html`);
  }

  private fallbackOf({ spa, error_page }: SiteManifest): Finding {
    const path = spa ? `/${this.index}` : error_page;
    const file = path === null ? undefined : this.files.get(path);
    return file === undefined ? NONE : { kind: "file", file, status: spa ? 200 : 404 };
  }
}

/** Names that change with their content, by contract of the tool that made them: Next, Nuxt, Astro, SvelteKit. */
const FINGERPRINTED = /^(?:\/.*)?\/(?:_next\/static|_nuxt|_astro|_app\/immutable)\/.+/;
/**
 * Vite's `assets/name-hash.js`. Scripts and styles only, and only with a digit or capital among the eight characters:
 * what is kept for a year must not be called so by accident, as `photo-vacation.jpg` would be.
 */
const VITE = /^(?:\/.*)?\/assets\/.+-(?=[\w-]{0,7}[A-Z0-9])[\w-]{8}\.(?:js|mjs|css)$/;

/** Pages are asked about each time, so that a release shows at once; fingerprinted files never; the rest for an hour. */
function defaultCacheControl(path: string, type: string): string {
  if (FINGERPRINTED.test(path) || VITE.test(path)) return "public, max-age=31536000, immutable";
  return type.startsWith("text/html") ? "no-cache" : "public, max-age=3600";
}
