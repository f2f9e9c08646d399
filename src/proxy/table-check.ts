import { isIP } from "node:net";
import {
  array,
  boolean,
  type Checked,
  fail,
  Invalid,
  integer,
  matching,
  object,
  oneOf,
  text,
} from "./checks.ts";
import { PeerSet } from "./peer-set.ts";
import {
  type AccessLogFormat,
  type CertificateSet,
  PROTOCOL_VERSION,
  type RouteStatus,
  type RouteTable,
  type Target,
} from "./protocol.ts";
import { checkBehaviour } from "./route-behaviour-check.ts";

const ACCESS_LOG_FORMATS: AccessLogFormat[] = ["off", "json", "combined"];
const STATUSES: RouteStatus[] = ["running", "starting", "sleeping", "stopped", "failed", "maintenance"];
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const TARGET_HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, "i");
const PATH = /^\/$|^(?:\/[^/?#\s]+)+$/;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/;
const SITE = /^[a-z0-9-]{1,64}$/;
const MAX_MS = 2 ** 31 - 1;

/** Checks a whole route table. Throws Invalid with the place of the first fault. */
export function checkRouteTable(value: unknown): RouteTable {
  const table = object(value, "table");
  version(table);
  const generation = integer(table.generation, "generation", 0, Number.MAX_SAFE_INTEGER);
  const listeners = array(table.listeners, "listeners").map(checkListener);
  const routes = array(table.routes, "routes").map(checkRoute);
  const settings = checkSettings(table.settings);
  checkConflicts(listeners, routes);
  return { version: PROTOCOL_VERSION, generation, listeners, routes, settings };
}

/** Checks the form of a certificate set; whether keys and certificates fit is seen when they are loaded. */
export function checkCertificateSet(value: unknown): CertificateSet {
  const set = object(value, "certificates");
  version(set);
  const generation = integer(set.generation, "generation", 0, Number.MAX_SAFE_INTEGER);
  const certificates = array(set.certificates, "certificates").map((item, i) => {
    const at = `certificates[${i}]`;
    const one = object(item, at);
    return {
      names: array(one.names, `${at}.names`).map((name, j) => matching(name, HOST, `${at}.names[${j}]`)),
      certificate_pem: text(one.certificate_pem, `${at}.certificate_pem`),
      private_key_pem: text(one.private_key_pem, `${at}.private_key_pem`),
    };
  });
  return { version: PROTOCOL_VERSION, generation, certificates };
}

function checkListener(value: unknown, i: number): RouteTable["listeners"][number] {
  const at = `listeners[${i}]`;
  const listener = object(value, at);
  return {
    host: address(listener.host, `${at}.host`),
    port: integer(listener.port, `${at}.port`, 1, 65535),
    protocol: oneOf(listener.protocol, ["http", "https"], `${at}.protocol`),
  };
}

function checkRoute(value: unknown, i: number): RouteTable["routes"][number] {
  const at = `routes[${i}]`;
  const route = object(value, at);
  const hold = object(route.hold, `${at}.hold`);
  return {
    id: text(route.id, `${at}.id`),
    app: text(route.app, `${at}.app`),
    environment: text(route.environment, `${at}.environment`),
    process: text(route.process, `${at}.process`),
    hosts: array(route.hosts, `${at}.hosts`).map((host, j) => matching(host, HOST, `${at}.hosts[${j}]`)),
    path: matching(route.path, PATH, `${at}.path`),
    strip_path: boolean(route.strip_path, `${at}.strip_path`),
    port: route.port === null ? null : integer(route.port, `${at}.port`, 1, 65535),
    port_host: address(route.port_host, `${at}.port_host`),
    targets: array(route.targets, `${at}.targets`).map((target, j) =>
      checkTarget(target, `${at}.targets[${j}]`),
    ),
    status: oneOf(route.status, STATUSES, `${at}.status`),
    hold: {
      max_requests: integer(hold.max_requests, `${at}.hold.max_requests`, 0, 1_000_000),
      max_wait_ms: integer(hold.max_wait_ms, `${at}.hold.max_wait_ms`, 0, MAX_MS),
    },
    wake: boolean(route.wake, `${at}.wake`),
    max_body_bytes: integer(route.max_body_bytes, `${at}.max_body_bytes`, 0, Number.MAX_SAFE_INTEGER),
    first_byte_timeout_ms: integer(route.first_byte_timeout_ms, `${at}.first_byte_timeout_ms`, 1, MAX_MS),
    access_log: checkAccessLog(route, at),
    ...checkBehaviour(route, at),
  };
}

/** Its file is named for app and environment. */
function checkAccessLog(route: Checked, at: string): AccessLogFormat {
  const format = oneOf(route.access_log ?? "off", ACCESS_LOG_FORMATS, `${at}.access_log`);
  if (format !== "off")
    for (const name of ["app", "environment"]) matching(route[name], FILE_NAME, `${at}.${name}`);
  return format;
}

function checkTarget(value: unknown, at: string): Target {
  const target = object(value, at);
  const base = {
    instance: matching(target.instance, /^[\x21-\x7e]{1,200}$/, `${at}.instance`),
    release: integer(target.release, `${at}.release`, 0, Number.MAX_SAFE_INTEGER),
    weight: integer(target.weight, `${at}.weight`, 1, 1000),
  };
  if (target.site !== undefined) return { ...base, site: matching(target.site, SITE, `${at}.site`) };
  const host = text(target.host, `${at}.host`);
  if (isIP(host) === 0 && !TARGET_HOST.test(host))
    throw new Invalid(`${at}.host: not an address or a host name`);
  return { ...base, host, port: integer(target.port, `${at}.port`, 1, 65535) };
}

function checkSettings(value: unknown): RouteTable["settings"] {
  const settings = object(value, "settings");
  const trusted = array(settings.trusted_proxies, "settings.trusted_proxies").map((cidr, i) =>
    text(cidr, `settings.trusted_proxies[${i}]`),
  );
  try {
    new PeerSet(trusted);
  } catch (error) {
    throw new Invalid(`settings.trusted_proxies: ${(error as Error).message}`);
  }
  const cookies = array(settings.own_cookies, "settings.own_cookies");
  return {
    own_cookies: cookies.map((name, i) => text(name, `settings.own_cookies[${i}]`)),
    probe_token:
      typeof settings.probe_token === "string"
        ? settings.probe_token
        : fail("settings.probe_token", "not a string"),
    trusted_proxies: trusted,
  };
}

/** No two routes may answer to the same name and path or the same port; a port has one listener. */
function checkConflicts(listeners: RouteTable["listeners"], routes: RouteTable["routes"]): void {
  const taken = new Map<string, string>();
  const claim = (key: string, owner: string) => {
    const other = taken.get(key);
    if (other !== undefined) throw new Invalid(`${owner}: ${key} belongs to ${other} already`);
    taken.set(key, owner);
  };
  for (const [i, { host, port }] of listeners.entries()) claim(`address ${host}:${port}`, `listeners[${i}]`);
  const shared = new Set(listeners.map(({ port }) => port));
  for (const [i, route] of routes.entries()) {
    const owner = `routes[${i}]`;
    claim(`id ${route.id}`, owner);
    for (const host of route.hosts) claim(`host ${host}${route.path}`, owner);
    if (route.port === null) continue;
    claim(`port ${route.port}`, owner);
    if (shared.has(route.port)) throw new Invalid(`${owner}.port: ${route.port} is a shared listener's`);
  }
}

function version(value: Checked): void {
  if (value.version !== PROTOCOL_VERSION) fail("version", `must be ${PROTOCOL_VERSION}`);
}

function address(value: unknown, at: string): string {
  return typeof value === "string" && isIP(value) !== 0 ? value : fail(at, "not an IP address");
}
