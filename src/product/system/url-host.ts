/** Whether a listener on `host` is on all addresses of the box. */
export function isEverywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** An address as a URL has it: IPv6 in brackets (RFC 3986 section 3.2.2). */
export function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The host part of a URL at which a listener on `host` answers; `own` where it is on all addresses. */
export function urlHost(host: string, own: string): string {
  return isEverywhere(host) ? own : inUrl(host);
}
