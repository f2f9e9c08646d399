import { terse } from "../errors.ts";
import { type ByteRange, byteRange } from "./byte-range.ts";
import type { Answering, ClientConnection } from "./client-connection.ts";
import type { Coding } from "./content-coding.ts";
import type { Engine } from "./engine.ts";
import type { ExchangeRequest } from "./exchange.ts";
import { FileStream } from "./file-sender.ts";
import { FILE_METHODS, statusLine } from "./local-answer.ts";
import { preconditions, rangeHolds } from "./preconditions.ts";
import { type PreparedFile, prepareFile } from "./prepared-file.ts";
import type { ProxyErrorCode } from "./protocol.ts";
import type { RequestHead } from "./request-head.ts";
import type { RouteEntry } from "./router.ts";
import type { Site } from "./site.ts";
import type { FileOfSite } from "./site-file.ts";
import { decodePath } from "./site-path.ts";
import type { TargetState } from "./target.ts";

/** What a static release needs to know of a request besides its fields. */
export type SiteRequest = Pick<
  ExchangeRequest,
  "framing" | "headOnly" | "http10" | "keepAlive" | "probe" | "access"
>;

const NO_BYTES = Buffer.alloc(0);
/** Up to this size head and body are joined for one write. */
const JOIN_BYTES = 64 * 1024;

/**
 * One request answered with the files of a static release. Nearly all are answered at once from memory; a large file
 * goes out piece by piece as the client takes it, and nothing of it waits in memory. Ends exactly once, in `end()`.
 */
export class SiteExchange implements Answering {
  readonly isTunnel = false;
  readonly received: boolean;
  readonly keepAlive: boolean;
  private readonly startedAt = performance.now();
  private ended = false;
  /** The request's head, while it is being answered. */
  private head: Buffer | undefined;
  private headAt = 0;
  private contentBytes = 0;
  /** The large file that is being sent, and the status to count at its end. */
  private stream: FileStream | undefined;
  private status = 0;

  constructor(
    private readonly engine: Engine,
    private readonly client: ClientConnection,
    private readonly entry: RouteEntry,
    private readonly target: TargetState,
    private readonly request: SiteRequest,
  ) {
    this.received = request.framing === "none";
    this.keepAlive = request.keepAlive && this.received && !engine.draining && !client.halfClosed;
    target.inFlight++;
    entry.state.counters.inFlight++;
  }

  /** Answers the request whose head was parsed from `bytes` at `at`; `path` is what of its path concerns the target. */
  start(bytes: Buffer, at: number, head: RequestHead, path: string): void {
    this.head = bytes;
    this.headAt = at;
    this.answerTo(bytes, head, path);
    this.head = undefined;
  }

  private answerTo(bytes: Buffer, head: RequestHead, path: string): void {
    const { sites } = this.engine;
    const { method } = head;
    if (method === "OPTIONS") return this.answer(204, `Allow: ${FILE_METHODS}\r\n`);
    if (method !== "GET" && method !== "HEAD") return this.fail("method_not_allowed");
    const site = sites.get(this.target.site);
    if (site === undefined) return this.fail("internal");
    const decoded = decodePath(path);
    if (decoded === undefined) return this.fail("bad_request");
    const found = site.find(decoded);
    switch (found.kind) {
      case "none":
        return this.fail("not_found");
      case "slash":
        return this.redirect(301, found.add ? `${path}/` : path.slice(0, -1), head.query);
      case "redirect":
        return this.redirect(found.status, found.location, head.query);
      case "file":
        sites.asked.read(bytes, head.fields);
        return this.answerFile(site, found.file, found.status, decoded);
    }
  }

  private answerFile(site: Site, file: FileOfSite, status: 200 | 404, path: string): void {
    const { asked, codings } = this.engine.sites;
    const coding = file.hasVariants ? codings.choose(asked.acceptEncoding, file.sizes) : 0;
    let prepared: PreparedFile;
    try {
      prepared = this.prepare(site, file, status, path, coding);
    } catch (error) {
      return this.damaged(site, error);
    }
    const range = status === 200 && asked.any ? this.condition(prepared) : undefined;
    if (range === "answered") return;
    if (range === undefined && prepared.whole && this.isPlain) this.sendWhole(prepared);
    else this.sendPart(site, prepared, range);
  }

  private prepare(
    site: Site,
    file: FileOfSite,
    status: 200 | 404,
    path: string,
    coding: Coding,
  ): PreparedFile {
    const headers = site.headers.for(path);
    for (const one of file.prepared)
      if (one.coding === coding && one.headers === headers && one.status === status) {
        one.used = true;
        return one;
      }
    const { sites, limits } = this.engine;
    const whole = file.sizes[coding]! <= limits.siteFileBytes;
    const prepared = prepareFile({ file, coding, status, headers }, whole, (into) =>
      site.directory.readInto(file.blob(coding), into),
    );
    sites.prepared.add(prepared);
    return prepared;
  }

  /** Answers 304, 412 or 416 if a condition says so; otherwise the range to send, if one is wanted and holds. */
  private condition(prepared: PreparedFile): ByteRange | "answered" | undefined {
    const { asked } = this.engine.sites;
    const outcome = preconditions(asked, prepared);
    if (outcome !== 200) {
      this.answer(outcome, outcome === 304 ? prepared.fieldText : "");
      return "answered";
    }
    if (asked.range === "" || this.request.headOnly || !rangeHolds(asked.ifRange, prepared)) return undefined;
    const range = byteRange(asked.range, prepared.size);
    if (range !== "unsatisfiable") return range;
    this.answer(416, `Content-Range: bytes */${prepared.size}\r\n`);
    return "answered";
  }

  /** Head and body as they were prepared, in one write and without a copy. */
  private sendWhole(prepared: PreparedFile): void {
    prepared.refresh(this.engine.sites.clock.read());
    this.contentBytes = prepared.size;
    this.client.out.writeChanging(prepared.bytes, prepared.at.body);
    this.finish(prepared.status);
  }

  /** Everything else: another connection header, no body, a part of it, or one that is not in memory. */
  private sendPart(site: Site, prepared: PreparedFile, range: ByteRange | undefined): void {
    const { client, engine, request } = this;
    const { start, end } = range ?? { start: 0, end: prepared.size };
    const status = range === undefined ? prepared.status : 206;
    const { scratch } = engine;
    this.beginHead(status);
    scratch.copy(prepared.bytes, prepared.at.fields, prepared.at.length);
    if (range !== undefined) scratch.text(`Content-Range: bytes ${start}-${end - 1}/${prepared.size}\r\n`);
    scratch.text(`Content-Length: ${end - start}\r\n`);
    this.endHead();
    if (request.headOnly) {
      client.out.writeFrom(scratch);
      return this.finish(status);
    }
    this.contentBytes = end - start;
    if (!prepared.whole) return this.openStream(site, prepared, status, start, end);
    const { body } = prepared.at;
    if (end - start <= JOIN_BYTES) {
      scratch.copy(prepared.bytes, body + start, body + end);
      client.out.writeFrom(scratch);
    } else {
      client.out.writeFrom(scratch);
      client.out.write(prepared.bytes.subarray(body + start, body + end));
    }
    this.finish(status);
  }

  /** The head waits in the scratch space: a file that cannot be opened is still answered with an error. */
  private openStream(site: Site, prepared: PreparedFile, status: number, start: number, end: number): void {
    const { file, coding } = prepared;
    try {
      this.stream = new FileStream(site.directory.open(file.blob(coding), prepared.size), start, end);
    } catch (error) {
      this.contentBytes = 0;
      return this.damaged(site, error);
    }
    this.status = status;
    this.request.access?.firstByte();
    this.client.out.writeFrom(this.engine.scratch);
    this.clientDrained();
  }

  /** The client took everything that waited for it. */
  clientDrained(): void {
    const { stream, client, engine } = this;
    if (stream === undefined || client.out.queued > 0) return;
    client.deadline = engine.ticker.now + engine.limits.sendStallMs;
    try {
      engine.sites.sender.send(stream, client.out, client.plainDescriptor);
    } catch (error) {
      engine.log.error("a file of a static release ended early", {
        site: this.target.site,
        error: terse(error),
      });
      return client.abort();
    }
    if (stream.left === 0) this.finish(this.status);
    // The client takes it as fast as it comes: others have their turn in between.
    else if (!stream.blocked) setImmediate(() => this.clientDrained());
  }

  pump(): void {}

  tunnelData(): void {}

  clientEndedTunnel(): void {}

  expire(): void {
    this.client.abort();
  }

  cutOff(): void {}

  end(status: number): void {
    if (this.ended) return;
    this.ended = true;
    this.target.inFlight--;
    const { counters } = this.entry.state;
    counters.inFlight--;
    const { stream } = this;
    this.stream = undefined;
    stream?.close();
    const contentBytes = this.contentBytes - (stream?.left ?? 0);
    counters.record(status, performance.now() - this.startedAt, 0, contentBytes);
    this.request.access?.end(status, 0, contentBytes, this.target);
  }

  /** No more than the prepared bytes is needed: HTTP/1.1, GET, the connection stays, no probe. */
  private get isPlain(): boolean {
    const { request } = this;
    return this.keepAlive && !request.http10 && !request.headOnly && !request.probe;
  }

  private redirect(status: number, location: string, query: string): void {
    const { strip_path, path } = this.entry.spec;
    const prefix = strip_path && path !== "/" && location.startsWith("/") ? path : "";
    this.answer(status, `Location: ${prefix}${withQuery(location, query)}\r\n`);
  }

  /** An answer without content. */
  private answer(status: number, fields: string): void {
    const { scratch } = this.engine;
    this.beginHead(status);
    scratch.text(fields);
    if (status !== 204 && status !== 304) scratch.text("Content-Length: 0\r\n");
    this.endHead();
    this.client.out.writeFrom(scratch);
    this.finish(status);
  }

  private beginHead(status: number): void {
    const { scratch, sites } = this.engine;
    scratch.reset();
    scratch.text(`${statusLine(status)}\r\nDate: ${sites.clock.read().text}\r\n`);
  }

  private endHead(): void {
    const { request, target } = this;
    const { scratch } = this.engine;
    if (request.probe) scratch.text(`X-Diplo-Instance: ${target.instance}\r\n`);
    if (!this.keepAlive) scratch.text("Connection: close\r\n");
    else if (request.http10) scratch.text("Connection: keep-alive\r\n");
    scratch.text("\r\n");
  }

  private finish(status: number): void {
    const { keepAlive } = this;
    this.end(status);
    this.client.exchangeDone(keepAlive);
  }

  private damaged(site: Site, error: unknown): void {
    this.engine.log.error("a static release is damaged", { site: site.name, error: terse(error) });
    this.engine.sites.distrust(site);
    this.fail("internal");
  }

  private fail(code: ProxyErrorCode): void {
    const { request, entry, keepAlive, head } = this;
    const bytes = head?.subarray(this.headAt, head.indexOf("\r\n\r\n", this.headAt)) ?? NO_BYTES;
    this.client.answerError({
      code,
      request: { bytes, headOnly: request.headOnly, access: request.access },
      route: entry.spec,
      keepAlive: keepAlive && !request.http10,
      instance: request.probe ? this.target.instance : undefined,
    });
  }
}

/** A location's own query wins over the request's; a fragment is the end of either (RFC 3986 section 3). */
function withQuery(location: string, query: string): string {
  const hash = location.indexOf("#");
  const to = hash < 0 ? location : location.slice(0, hash);
  return to.includes("?") ? location : to + query + location.slice(to.length);
}
