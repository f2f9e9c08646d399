import { array, boolean, type Checked, fail, integer, matching, object, text } from "./checks.ts";
import { isPathPattern } from "./path-pattern.ts";
import type { SiteFile, SiteHeaders, SiteManifest, SiteRedirect } from "./protocol.ts";

const SHA256 = /^[0-9a-f]{64}$/;
/** A path below the site's root: no empty segment but the last. Never part of a file's name, so nothing else matters. */
const PATH = /^(?:\/[^/\0]+)*\/[^/\0]*$/;
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a field value
const VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;
/** Each may be tried for a request. */
const MAX_RULES = 2_000;
/** Decoded, as paths of files are. */
const ROOTED = /^\/[^\0]*$/;
/** Visible ASCII: it goes out as it is. */
const LOCATION = /^(?:\/|https?:\/\/(?!\/))[!-~]*$/i;
const STATUSES: readonly SiteRedirect["status"][] = [200, 301, 302, 303, 307, 308, 404];

/** Checks the manifest of a static release. Throws Invalid with the place of the first fault. */
export function checkSiteManifest(value: unknown): SiteManifest {
  const manifest = object(value, "manifest");
  if (manifest.version !== 1) fail("version", "must be 1");
  const files: SiteManifest["files"] = {};
  for (const [path, file] of Object.entries(object(manifest.files, "files"))) {
    const at = `files[${JSON.stringify(path)}]`;
    matching(path, PATH, at);
    files[path] = checkFile(file, at);
  }
  return {
    version: 1,
    files,
    index: matching(manifest.index, /^[^/\0]+$/, "index"),
    spa: boolean(manifest.spa, "spa"),
    error_page: manifest.error_page === null ? null : matching(manifest.error_page, PATH, "error_page"),
    cache_control:
      manifest.cache_control === null ? null : fieldValue(manifest.cache_control, "cache_control"),
    headers: rules(manifest.headers, "headers").map(checkHeaders),
    redirects: rules(manifest.redirects, "redirects").map(checkRedirect),
  };
}

function checkFile(value: unknown, at: string): SiteFile {
  const file = object(value, at);
  const variants = object(file.variants, `${at}.variants`);
  const size = (of: Checked, name: string, where: string) =>
    integer(of[name], `${where}.${name}`, 0, Number.MAX_SAFE_INTEGER);
  const optional = (name: string) =>
    variants[name] === undefined ? undefined : size(variants, name, `${at}.variants`);
  return {
    sha256: matching(file.sha256, SHA256, `${at}.sha256`),
    size: size(file, "size", at),
    type: fieldValue(file.type, `${at}.type`),
    modified_at: size(file, "modified_at", at),
    variants: { br: optional("br"), gzip: optional("gzip"), zstd: optional("zstd") },
  };
}

function checkHeaders(value: unknown, i: number): SiteHeaders {
  const at = `headers[${i}]`;
  const rule = object(value, at);
  return {
    path: pattern(rule.path, `${at}.path`),
    set: array(rule.set, `${at}.set`).map((pair, j) => {
      const [name, content] = array(pair, `${at}.set[${j}]`);
      return [matching(name, NAME, `${at}.set[${j}][0]`), fieldValue(content, `${at}.set[${j}][1]`)];
    }),
    remove: array(rule.remove, `${at}.remove`).map((name, j) => matching(name, NAME, `${at}.remove[${j}]`)),
  };
}

function checkRedirect(value: unknown, i: number): SiteRedirect {
  const at = `redirects[${i}]`;
  const rule = object(value, at);
  const status = STATUSES.find((one) => one === rule.status);
  if (status === undefined) fail(`${at}.status`, `not one of ${STATUSES.join(", ")}`);
  const isFile = status === 200 || status === 404;
  return {
    from: pattern(rule.from, `${at}.from`),
    to: matching(rule.to, isFile ? ROOTED : LOCATION, `${at}.to`),
    status,
    force: boolean(rule.force, `${at}.force`),
  };
}

function rules(value: unknown, at: string): unknown[] {
  const list = array(value, at);
  return list.length > MAX_RULES ? fail(at, `more than ${MAX_RULES} rules`) : list;
}

function pattern(value: unknown, at: string): string {
  const path = matching(value, ROOTED, at);
  return isPathPattern(path) ? path : fail(at, "more than one *");
}

function fieldValue(value: unknown, at: string): string {
  return matching(text(value, at), VALUE, at);
}
