import type { SiteHeaders, SiteManifest } from "../../proxy/protocol.ts";
import { parseHeaders, setHeader } from "./headers-file.ts";
import { decodedPath, SITE_RULES } from "./path-pattern.ts";
import { parseRedirects } from "./redirects-file.ts";

/** How a site is served, as the app's settings and its plan say. */
export interface SiteOptions {
  index: string;
  spa: boolean;
  /** null = `404.html`, when the site has one. */
  error_page: string | null;
  /** Headers by path pattern, after those of the site's own `_headers`. */
  headers: Record<string, Record<string, string>>;
  cache_control: string | null;
}

export type SiteRules = Omit<SiteManifest, "version" | "files">;

const DEFAULT_ERROR_PAGE = "/404.html";

/** Everything of a manifest but its files, and what of the site's own rules cannot be used. */
export function siteRules(
  options: SiteOptions,
  own: { headers: string; redirects: string },
  has: (path: string) => boolean,
): { rules: SiteRules; warnings: string[] } {
  const headers = parseHeaders(own.headers);
  const redirects = parseRedirects(own.redirects);
  const allHeaders = [...headers.rules, ...settingsHeaders(options.headers)];
  const wanted = options.error_page === null ? DEFAULT_ERROR_PAGE : rooted(options.error_page);
  const warnings = [...headers.warnings, ...redirects.warnings];
  if (options.error_page !== null && !has(wanted))
    warnings.push(`error_page: the site has no ${wanted}; Diplo's own page is used`);
  if (options.spa && !has(`/${options.index}`))
    warnings.push(`spa: the site has no ${options.index} to answer unknown paths with`);
  if (allHeaders.length > SITE_RULES)
    warnings.push(`headers: more than ${SITE_RULES} rules; the last of the settings are left out`);
  const missing = redirects.rules.filter(
    ({ to, status }) => isFile(status) && !leadsSomewhere(to, options, has),
  );
  for (const { from, to } of missing)
    warnings.push(`_redirects: ${from} is answered with ${to}, which does not exist`);
  return {
    rules: {
      index: options.index,
      spa: options.spa,
      error_page: has(wanted) ? wanted : null,
      cache_control: options.cache_control,
      headers: allHeaders.slice(0, SITE_RULES),
      redirects: redirects.rules,
    },
    warnings,
  };
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function isFile(status: number): boolean {
  return status === 200 || status === 404;
}

/** With placeholders nobody knows before the request. */
function leadsSomewhere(to: string, { index }: SiteOptions, has: (path: string) => boolean): boolean {
  return (
    /:[A-Za-z]/.test(to) || [to, `${to.replace(/\/$/, "")}/${index}`, `${to}.html`].some((path) => has(path))
  );
}

/** The settings were checked when they were written. */
function settingsHeaders(headers: SiteOptions["headers"]): SiteHeaders[] {
  return Object.entries(headers).map(([path, values]) => {
    const rule: SiteHeaders = { path: decodedPath(path) ?? path, set: [], remove: [] };
    for (const [name, value] of Object.entries(values)) setHeader(rule, name, value);
    return rule;
  });
}
