import { timingSafeEqual } from "node:crypto";
import type { AccessLog } from "./access-logs.ts";
import { AccessRecord } from "./access-record.ts";
import type { Engine } from "./engine.ts";
import type { ExchangeRequest } from "./exchange.ts";
import type { Peer } from "./peer.ts";
import type { PeerSet } from "./peer-set.ts";
import type { RequestHead } from "./request-head.ts";
import { stripPrefix } from "./request-path.ts";
import { writeRequestHead } from "./request-writer.ts";
import type { RouteEntry } from "./router.ts";
import type { SiteRequest } from "./site-exchange.ts";

/** Turns the head just parsed from `bytes` into the request that the app of `entry` gets. */
export function takeRequest(
  engine: Engine,
  bytes: Buffer,
  head: RequestHead,
  peer: Peer,
  entry: RouteEntry | undefined,
): ExchangeRequest {
  const { settings, scratch } = engine;
  const closes = head.bodyIsUndefined;
  const requestId = engine.requestIds.next();
  scratch.reset();
  writeRequestHead(scratch, bytes, head, {
    peer,
    path: entry?.spec.strip_path === true ? pathFor(entry, head) : undefined,
    requestId,
    ownCookies: settings.ownCookies,
    close: closes,
  });
  return {
    bytes: scratch.take(),
    framing: head.framing,
    contentLength: head.contentLength,
    headOnly: head.method === "HEAD",
    http10: head.minorVersion === 0,
    keepAlive: head.keepAlive,
    idempotent: head.idempotent,
    wantsUpgrade: head.upgrade >= 0,
    probe: isProbe(engine, bytes, head),
    closes,
    sticky: entry?.sticky?.read(bytes, head) ?? "",
    access: entry?.log && accessRecord(entry.log, engine, bytes, head, peer, requestId),
  };
}

/** What a static release has to know of the head just parsed from `bytes`. */
export function askedOfSite(
  engine: Engine,
  bytes: Buffer,
  head: RequestHead,
  peer: Peer,
  { log }: RouteEntry,
): SiteRequest {
  return {
    framing: head.framing,
    headOnly: head.method === "HEAD",
    http10: head.minorVersion === 0,
    keepAlive: head.keepAlive,
    probe: isProbe(engine, bytes, head),
    access: log && accessRecord(log, engine, bytes, head, peer, engine.requestIds.next()),
  };
}

function accessRecord(
  log: AccessLog,
  { settings }: Engine,
  bytes: Buffer,
  head: RequestHead,
  peer: Peer,
  requestId: Buffer,
): AccessRecord {
  return new AccessRecord(log, bytes, head, { peer, trusted: settings.trusted, requestId });
}

/** The part of the request's path that concerns the targets of `entry`. */
export function pathFor({ spec }: RouteEntry, head: RequestHead): string {
  return spec.strip_path ? stripPrefix(head.path, spec.path) : head.path;
}

function isProbe({ settings }: Engine, bytes: Buffer, head: RequestHead): boolean {
  return head.probe >= 0 && sameSecret(head.fields.value(bytes, head.probe), settings.probeToken);
}

/** Compares in a time that does not depend on where they differ. */
function sameSecret(given: string, secret: Buffer): boolean {
  const bytes = Buffer.from(given, "latin1");
  return secret.length > 0 && bytes.length === secret.length && timingSafeEqual(bytes, secret);
}

/** The client's Accept, from the head that was made for the app; empty when there is none. */
export function acceptOf(request: Pick<ExchangeRequest, "bytes"> | undefined): string {
  if (request === undefined) return "";
  return /\r\naccept:[ \t]*([^\r]*)/i.exec(request.bytes.toString("latin1"))?.[1] ?? "";
}

const FORWARDED_FOR = /\r\nx-forwarded-for:([^\r]*)/i;

/** The last address of the chain that no trusted proxy has; of a head that was made for the app. */
export function originOf(head: Buffer, trusted: PeerSet): string {
  return trusted.originIn(FORWARDED_FOR.exec(head.toString("latin1"))?.[1] ?? "");
}
