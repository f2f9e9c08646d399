/**
 * What control and the data plane say to each other. The one file both sides import.
 *
 * `proxy.sock` (HTTP over a unix socket, served by the proxy):
 *   PUT  /routes        RouteTable        → 200 Applied | 409 stale generation | 422 Refusal
 *   PUT  /certificates  CertificateSet    → 200 Applied | 409 | 422 Refusal
 *   GET  /state                           → 200 ProxyState
 *   POST /stop                            → 202; stops listening, lets requests finish, ends the process.
 *                                           `?successor=1`: another proxy listens on the same addresses already
 * A PUT is all-or-nothing: it answers when every worker applied it and it lies durably in the proxy's own
 * directory; a refused one leaves the last good one serving. The proxy starts from that directory alone.
 *
 * `proxy-events.sock` (served by control): POST /events  ProxyEvents → 204. Nothing else.
 */
export const PROTOCOL_VERSION = 1;

/** Everything the data plane routes by, replaced as a whole. */
export interface RouteTable {
  version: typeof PROTOCOL_VERSION;
  /** Strictly increasing. The generation that serves already is accepted again when its content is equal. */
  generation: number;
  /** The shared listeners, chosen by Host (and, later, by TLS server name). */
  listeners: SharedListener[];
  routes: Route[];
  settings: ProxySettings;
}

export interface SharedListener {
  /** Address to bind, e.g. `0.0.0.0`. */
  host: string;
  port: number;
  protocol: "http" | "https";
}

/** One web process of one environment. */
export interface Route {
  /** `<environment id>/<process>`; stable over generations. */
  id: string;
  app: string;
  environment: string;
  process: string;
  /** Host names as lower-case A-labels without port or trailing dot; `*.` as the first label is a wildcard. */
  hosts: string[];
  /** Path prefix, `/` for all; longest match wins. */
  path: string;
  strip_path: boolean;
  /** The app's own port: everything that arrives there is this route's, whatever Host says. */
  port: number | null;
  /** Address the app's own port is bound on. */
  port_host: string;
  targets: Target[];
  /** What the app is doing, for the error page of a route without targets. */
  status: RouteStatus;
  /** Requests that arrive while no target takes connections wait here instead of failing. */
  hold: { max_requests: number; max_wait_ms: number };
  /** Ask control to start the app (`wake`) when a request finds no target. */
  wake: boolean;
  max_body_bytes: number;
  first_byte_timeout_ms: number;
  /** How a target is chosen; absent = `round_robin`. `random` takes the less busy of two drawn by weight. */
  balance?: Balance;
  /** Keeps a client at the instance that answered it first, by a cookie of the proxy's; absent = no. */
  sticky?: boolean;
  /** Every request is answered with this, and never reaches a target; absent = none. */
  redirect?: Redirect;
  /** Asks each target on its own and passes over those that fail; absent = passive health alone. */
  health?: ActiveHealth;
  /** Absent = `off`. */
  access_log?: AccessLogFormat;
}

export type Balance = "round_robin" | "least_connections" | "random" | "ip_hash";

export type AccessLogFormat = "off" | "json" | "combined";

/** Below the proxy's directory: one access log for each environment, written by the proxy, read and removed by control. */
export const ACCESS_LOG_DIRECTORY = "logs";
/** The one that is written and the older ones, `.1` and up. */
export const ACCESS_LOG_FILES = 3;

/** `app.log`, or `app@staging.log` for another environment than production. */
export function accessLogFile(app: string, environment: string): string {
  return `${environment === "production" ? app : `${app}@${environment}`}.log`;
}

export interface Redirect {
  /**
   * Absolute URL without query. When it ends with `/`, path and query of the request are added, the path as a target
   * would get it (`strip_path`).
   */
  to: string;
  code: 301 | 302 | 303 | 307 | 308;
}

/** User-Agent of all health checks, so that an app can leave them out of its log. */
export const HEALTH_CHECK_AGENT = "Diplo health check";

export interface ActiveHealth {
  /** Asked with GET, any answer below 500 is healthy; null = taking a connection is enough. */
  path: string | null;
  interval_ms: number;
  timeout_ms: number;
  /** Failures in a row before a target is passed over while another is well; one success brings it back. */
  unhealthy_after: number;
}

export type RouteStatus = "running" | "starting" | "sleeping" | "stopped" | "failed" | "maintenance";

/** One instance that takes requests. One that left the table gets no new request; those it has, finish. */
export type Target = InstanceTarget | SiteTarget;

interface TargetBase {
  instance: string;
  release: number;
  /** Share among the targets of the route, 1–1000. */
  weight: number;
}

/** An instance behind an address. */
export interface InstanceTarget extends TargetBase {
  host: string;
  port: number;
}

/** A static release, served by the data plane itself. */
export interface SiteTarget extends TargetBase {
  /** Name of a directory below `<proxy directory>/sites/`, see SiteManifest. Never changed once it is there. */
  site: string;
}

/**
 * `sites/<site>/manifest.json`: every file of a static release. The files lie beside it, named for the SHA-256 (hex) of
 * their content, so that nothing of a request's path ever becomes part of a file's path; variants have `.br`, `.gz` or
 * `.zst` after that. Written by control when the release is built, read by the data plane.
 */
export interface SiteManifest {
  version: 1;
  /** By path below the site's root, decoded, with its leading slash: `/index.html`. */
  files: Record<string, SiteFile>;
  /** File that answers for a directory: `index.html`. */
  index: string;
  /** Paths without a file are answered with the root's index and 200, for applications that route in the browser. */
  spa: boolean;
  /** Path of the file that answers 404 where `spa` is false: `/404.html`; null = the proxy's own page. */
  error_page: string | null;
  /** Cache-Control of what `headers` gives none; null = `no-cache` for pages, an hour for the rest. */
  cache_control: string | null;
  /** Rules of `_headers`, all that match apply, in order. */
  headers: SiteHeaders[];
  /** Rules of `_redirects`, the first that matches wins. */
  redirects: SiteRedirect[];
}

export interface SiteFile {
  sha256: string;
  size: number;
  /** Content-Type, with charset where it is text. */
  type: string;
  /** Last-Modified, in ms since the epoch; the commit's time, so that equal builds are equal. */
  modified_at: number;
  /** Size in bytes of each precompressed variant that is worth it. */
  variants: { br?: number; gzip?: number; zstd?: number };
}

export interface SiteHeaders {
  /** `*` matches anything, `:name` one segment. */
  path: string;
  set: [name: string, value: string][];
  /** Names of headers that earlier rules set and this one takes away. */
  remove: string[];
}

export interface SiteRedirect {
  /** As in SiteHeaders; what matched is put for `:splat` and `:name` in `to`. */
  from: string;
  /** Path on the same host, or an absolute URL. */
  to: string;
  /** 200 answers with the file at `to` without a redirect; 404 with that file and 404. */
  status: 200 | 301 | 302 | 303 | 307 | 308 | 404;
  /** Also where a file exists. */
  force: boolean;
}

export interface ProxySettings {
  /** Cookies of Diplo itself: removed from requests to apps and from their answers. */
  own_cookies: string[];
  /** A request that carries `X-Diplo-Probe` with this value learns in `X-Diplo-Instance` which instance answered. */
  probe_token: string;
  /** Peers (CIDR) whose X-Forwarded-* are believed. */
  trusted_proxies: string[];
}

/** Certificates by name for the https listeners, replaced as a whole. Private keys: proxy.sock and its directory only. */
export interface CertificateSet {
  version: typeof PROTOCOL_VERSION;
  generation: number;
  certificates: { names: string[]; certificate_pem: string; private_key_pem: string }[];
}

export interface Applied {
  generation: number;
  sha256: string;
}

export interface Refusal {
  code: "invalid" | "stale_generation" | "bind_failed" | "disk";
  message: string;
  /** Listeners that could not be bound, for `bind_failed`. */
  listeners?: { host: string; port: number; error: string }[];
}

export interface ProxyState {
  version: typeof PROTOCOL_VERSION;
  /** The executable's version, so that control can replace an older proxy. */
  diplo_version: string;
  pid: number;
  workers: number;
  started_at: string;
  generation: number;
  sha256: string;
  certificate_generation: number;
  /** Requests and upgraded connections now open, by instance id; includes instances that left the table. */
  in_flight: Record<string, number>;
  connections: number;
  /** Instances that fail their active health check, and what was last seen of each. */
  unhealthy: Record<string, string>;
  /**
   * When each route was last used, up to 10 s too late and never too early: a request ended, or one or an upgraded
   * connection is open now. Routes unused since `started_at` are absent. Health checks are no use.
   */
  last_used: Record<string, string>;
  last_refusal: (Refusal & { at: string; generation: number }) | null;
}

export interface ProxyEvents {
  events: ProxyEvent[];
}

export type ProxyEvent =
  | { type: "wake"; route: string; at: string }
  | { type: "metrics"; at: string; routes: RouteMetrics[] };

/** Counts since the last report. `histogram_ms` holds counts by upper bound 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, ∞. */
export interface RouteMetrics {
  route: string;
  requests: number;
  status: { "1xx": number; "2xx": number; "3xx": number; "4xx": number; "5xx": number };
  histogram_ms: number[];
  /** Sum of all durations in milliseconds. */
  total_ms: number;
  bytes_in: number;
  bytes_out: number;
  in_flight: number;
}

/** Value of the `X-Diplo-Error` header on answers that the proxy itself makes (capabilities I1). */
export type ProxyErrorCode =
  | "bad_request"
  | "missing_host"
  | "unknown_host"
  | "not_found"
  | "method_not_allowed"
  | "shutting_down"
  | "unhealthy"
  | "start_failed"
  | "overloaded"
  | "request_timeout"
  | "connection_failed"
  | "body_too_large"
  | "header_too_large"
  | "internal";

export const PROXY_ERROR_STATUS: Record<ProxyErrorCode, number> = {
  bad_request: 400,
  missing_host: 400,
  unknown_host: 404,
  not_found: 404,
  method_not_allowed: 405,
  shutting_down: 503,
  unhealthy: 503,
  start_failed: 503,
  overloaded: 503,
  request_timeout: 504,
  connection_failed: 502,
  body_too_large: 413,
  header_too_large: 431,
  internal: 500,
};
