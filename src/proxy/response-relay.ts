import { BodyReader } from "./body-reader.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine.ts";
import type { Exchange } from "./exchange.ts";
import { BAD, INCOMPLETE } from "./fields.ts";
import type { ResponseHead } from "./response-head.ts";
import { writeResponseHead } from "./response-writer.ts";

const LF = 0x0a;
/** Up to this size head and body of an answer are joined for one write; above it copying costs more than it saves. */
const JOIN_BYTES = 64 * 1024;
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const CRLF = Buffer.from("\r\n");

/** The way back: one answer from an app to its client, or everything after an upgrade. */
export class ResponseRelay {
  /** Something of the final answer is on its way to the client. */
  begun = false;
  /** The app has said anything at all, interim answers included. */
  heard = false;
  tunnel = false;
  /** How long it took until the connection became a tunnel. */
  tunnelAfterMs = 0;

  private readonly body = new BodyReader();
  private partial: Buffer | undefined;
  private status = 0;
  /** A body that ends with the app's connection, sent to the client in chunks. */
  private rechunk = false;
  private untilClose = false;
  private keepClient = false;
  private keepUpstream = false;
  private tunnelBytes = 0;
  private tunnelEnds = 0;

  constructor(
    private readonly engine: Engine,
    private readonly client: ClientConnection,
    private readonly exchange: Exchange,
  ) {}

  get contentBytes(): number {
    return this.tunnel ? this.tunnelBytes : this.body.contentBytes;
  }

  get idleMs(): number {
    return this.tunnel ? this.engine.limits.tunnelIdleMs : this.engine.limits.responseIdleMs;
  }

  data(bytes: Buffer): void {
    if (this.tunnel) return this.relayTunnel(bytes);
    if (this.begun) return this.relayBody(bytes, 0, false);
    this.heard = true;
    const whole = this.partial === undefined ? bytes : Buffer.concat([this.partial, bytes]);
    // Only a line end can complete anything: an app that drips bytes does not make us parse again and again.
    if (
      this.partial !== undefined &&
      bytes.indexOf(LF) < 0 &&
      whole.length <= this.engine.limits.headerBytes
    ) {
      this.partial = whole;
      return;
    }
    this.partial = undefined;
    this.readHeads(whole);
  }

  /** The app's connection ended. True: that was dealt with; false: nothing of an answer had come. */
  ended(clean: boolean): boolean {
    if (this.tunnel) {
      if (clean) this.endTunnelSide("upstream");
      else this.client.closeAfterFlush();
      return true;
    }
    if (!this.begun) return false;
    if (this.untilClose && clean) {
      if (this.rechunk) this.client.out.write(LAST_CHUNK);
      this.finish(false);
    } else this.client.abort();
    return true;
  }

  endTunnelSide(side: "client" | "upstream"): void {
    this.tunnelEnds |= side === "client" ? 1 : 2;
    if (side === "client") this.exchange.upstream?.shutdown();
    else this.client.shutdown();
    this.client.deadline = this.engine.ticker.now + this.engine.limits.sendStallMs;
    if (this.tunnelEnds === 3) this.client.closeAfterFlush();
  }

  private readHeads(bytes: Buffer): void {
    const head = this.engine.responseHead;
    let at = 0;
    while (at < bytes.length) {
      const end = head.parse(bytes, at, this.exchange.request.headOnly);
      if (end === INCOMPLETE) {
        this.partial = bytes.subarray(at);
        return;
      }
      if (end < 0) return this.badAnswer(head.problem);
      if (head.status >= 200) return this.begin(bytes, end, head);
      if (head.status === 101) return this.beginTunnel(bytes, end, head);
      this.relayInterim(bytes, head);
      at = end;
    }
  }

  /** 100 Continue, 103 Early Hints: passed on as they come, but HTTP/1.0 knows none (RFC 9110 section 15.2). */
  private relayInterim(bytes: Buffer, head: ResponseHead): void {
    if (this.exchange.request.http10) return;
    const { scratch, settings } = this.engine;
    scratch.reset();
    writeResponseHead(scratch, bytes, head, {
      ownCookies: settings.ownCookies,
      chunked: false,
      connection: "",
      instance: undefined,
      cookie: "",
    });
    if (!this.client.out.writeFrom(scratch)) this.exchange.upstream?.pause();
  }

  private begin(bytes: Buffer, bodyAt: number, head: ResponseHead): void {
    const { request, received } = this.exchange;
    request.access?.firstByte();
    const { http10 } = request;
    const { framing } = head;
    this.status = head.status;
    this.untilClose = framing === "close";
    this.rechunk = this.untilClose && !http10;
    this.keepUpstream = head.keepAlive && !this.untilClose && !request.closes;
    const unknownEnd = http10 && (this.untilClose || framing === "chunked");
    this.keepClient =
      request.keepAlive &&
      !unknownEnd &&
      !request.closes &&
      received &&
      !this.engine.draining &&
      !this.client.halfClosed;
    this.body.start(framing, head.contentLength, !http10);
    const { scratch, settings } = this.engine;
    scratch.reset();
    writeResponseHead(scratch, bytes, head, {
      ownCookies: settings.ownCookies,
      chunked: !http10 && (head.saysChunked || this.rechunk),
      connection: this.keepClient ? (http10 ? "keep-alive" : "") : "close",
      instance: request.probe ? this.exchange.instance : undefined,
      cookie: this.exchange.stickyLine,
    });
    this.relayBody(bytes, bodyAt, true);
  }

  /** `withHead`: the head waits in the scratch space and goes out with this first piece. */
  private relayBody(bytes: Buffer, at: number, withHead: boolean): void {
    const { body } = this;
    const end = body.read(bytes, at);
    if (end === BAD) return this.badAnswer(body.problem);
    this.begun = true;
    const taken = withHead ? this.writeJoined(bytes, end - at) : this.writeParts(bytes);
    if (body.done) return this.finish(end < bytes.length);
    const { limits, ticker } = this.engine;
    if (!taken) this.exchange.upstream?.pause();
    this.client.deadline = ticker.now + (taken ? this.idleMs : limits.sendStallMs);
  }

  private writeJoined(bytes: Buffer, size: number): boolean {
    const { scratch } = this.engine;
    const { out } = this.client;
    if (size > JOIN_BYTES) {
      out.writeFrom(scratch);
      return this.writeParts(bytes);
    }
    const { parts, tail } = this.body;
    if (this.rechunk && size > 0) scratch.text(`${size.toString(16)}\r\n`);
    for (let i = 0; i < parts.length; i += 2) scratch.copy(bytes, parts[i]!, parts[i + 1]!);
    scratch.add(tail);
    if (this.rechunk && size > 0) scratch.text("\r\n");
    return out.writeFrom(scratch);
  }

  private writeParts(bytes: Buffer): boolean {
    const { out } = this.client;
    const { parts, tail } = this.body;
    for (let i = 0; i < parts.length; i += 2) {
      const from = parts[i]!;
      const to = parts[i + 1]!;
      if (this.rechunk) out.write(Buffer.from(`${(to - from).toString(16)}\r\n`));
      out.write(bytes, from, to);
      if (this.rechunk) out.write(CRLF);
    }
    return out.write(tail);
  }

  private finish(surplus: boolean): void {
    const complete = this.exchange.received;
    this.exchange.end(this.status, this.keepUpstream && complete && !surplus);
    this.client.exchangeDone(this.keepClient && complete);
  }

  private beginTunnel(bytes: Buffer, end: number, head: ResponseHead): void {
    if (!this.exchange.request.wantsUpgrade) return this.badAnswer("101 without being asked to upgrade");
    const { scratch, settings, ticker, limits } = this.engine;
    scratch.reset();
    writeResponseHead(scratch, bytes, head, {
      ownCookies: settings.ownCookies,
      chunked: false,
      connection: "",
      instance: this.exchange.request.probe ? this.exchange.instance : undefined,
      cookie: this.exchange.stickyLine,
    });
    this.tunnelAfterMs = this.exchange.elapsedMs();
    this.begun = true;
    this.tunnel = true;
    this.status = 101;
    this.client.out.writeFrom(scratch);
    // The app has answered in time; both may be silent now.
    this.client.deadline = ticker.now + limits.tunnelIdleMs;
    if (end < bytes.length) this.relayTunnel(bytes.subarray(end));
    this.client.tunnelBegun();
  }

  private relayTunnel(bytes: Buffer): void {
    this.tunnelBytes += bytes.length;
    const taken = this.client.out.write(bytes);
    const { limits, ticker } = this.engine;
    if (!taken) this.exchange.upstream?.pause();
    this.client.deadline = ticker.now + (taken ? limits.tunnelIdleMs : limits.sendStallMs);
  }

  /** The app does not speak HTTP: 502 while that is possible, a cut connection after. */
  private badAnswer(problem: string): void {
    const { route, instance } = this.exchange;
    this.engine.log.warn("app answered with invalid HTTP", { app: route.app, instance, problem });
    if (this.begun) this.client.abort();
    else this.exchange.fail("connection_failed");
  }
}
