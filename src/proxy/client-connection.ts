import type { Socket } from "bun";
import { LF } from "./byte-class.ts";
import type { Engine } from "./engine.ts";
import { Exchange, type ExchangeRequest } from "./exchange.ts";
import { INCOMPLETE } from "./fields.ts";
import { renderLocalAnswer } from "./local-answer.ts";
import { Outbound } from "./outbound.ts";
import { type Origin, Peer } from "./peer.ts";
import type { ProxyErrorCode, Redirect, Route } from "./protocol.ts";
import { locationOf, renderRedirect } from "./redirect.ts";
import type { RequestHead } from "./request-head.ts";
import { acceptOf, askedOfSite, pathFor, takeRequest } from "./request-intake.ts";
import type { RouteEntry } from "./router.ts";
import { SiteExchange } from "./site-exchange.ts";
import type { TargetState } from "./target.ts";
import type { Timed } from "./ticker.ts";

/** What a connection knows from the listener it came in by. */
export interface Door {
  /** The app's own port, or undefined for a listener that is shared by host name. */
  appPort: number | undefined;
  secure: boolean;
}

/** What answers one request of a client: an app, by an exchange with it, or the files of a static release. */
export interface Answering {
  /** The client has sent its whole request. */
  readonly received: boolean;
  /** The client wants to send more requests. */
  readonly keepAlive: boolean;
  readonly isTunnel: boolean;
  /** More of the request came. */
  pump(): void;
  /** Bytes of the client on an upgraded connection. */
  tunnelData(bytes: Buffer): void;
  clientEndedTunnel(): void;
  /** The client took everything that waited for it. */
  clientDrained(): void;
  /** The client's deadline passed. */
  expire(): void;
  /** The proxy ends, and this has not: says so, unless a part of the answer is out. */
  cutOff(): void;
  /** Once, whatever the outcome. `reusable`: an app's connection can carry another request. */
  end(status: number, reusable: boolean): void;
}

export interface ErrorAnswer {
  code: ProxyErrorCode;
  status?: number;
  request?: Pick<ExchangeRequest, "bytes" | "headOnly" | "access">;
  route?: Route;
  keepAlive: boolean;
  instance?: string;
}

/** `head`: between or reading requests; `exchange`: one is being answered; `closing`: only discards what still comes. */
type Phase = "head" | "exchange" | "closing" | "closed";

/** One client's HTTP/1.1 connection: reads requests one after the other, never two at once. */
export class ClientConnection implements Timed {
  deadline: number;
  /** Bytes received and not yet used, from `inputAt` on. */
  input: Buffer | undefined;
  inputAt = 0;
  /** The client has ended its side; it still gets its answer. */
  halfClosed = false;
  readonly out: Outbound;

  private phase: Phase = "head";
  private exchange: Answering | undefined;
  private saidAll = false;
  private paused = false;
  private reading = false;
  readonly peer: Peer;
  /** The name of the TLS handshake. */
  private serverName = "";

  constructor(
    private readonly engine: Engine,
    private readonly socket: Socket<ClientConnection | undefined>,
    private readonly door: Door,
    origin: Origin,
  ) {
    this.out = new Outbound(socket);
    this.peer = new Peer(origin, door.secure, engine.settings.trusted.has(origin.address));
    engine.ticker.add(this);
    this.deadline = engine.ticker.now + engine.limits.headTimeoutMs;
  }

  get idle(): boolean {
    return this.phase === "head" && this.input === undefined;
  }

  /** Of a socket into which the kernel itself may write; undefined where everything must be encrypted first. */
  get plainDescriptor(): number | undefined {
    return this.door.secure ? undefined : (this.socket as { fd?: number }).fd;
  }

  handshaken(serverName: string | null | undefined, version: string): void {
    this.peer.tls = version;
    this.serverName = serverName?.toLowerCase() ?? "";
  }

  received(bytes: Buffer): void {
    if (this.phase === "closing" || this.phase === "closed") return;
    if (this.exchange?.isTunnel) return this.exchange.tunnelData(bytes);
    const waiting = this.input;
    this.input = waiting === undefined ? bytes : Buffer.concat([waiting.subarray(this.inputAt), bytes]);
    this.inputAt = 0;
    if (this.phase === "exchange") {
      this.exchange?.pump();
      if (this.unread > this.engine.limits.bufferBytes) this.pause();
      return;
    }
    if (waiting === undefined) this.deadline = this.engine.ticker.now + this.engine.limits.headTimeoutMs;
    // Only a line end can complete a head: dripping bytes does not make us parse again and again.
    else if (bytes.indexOf(LF) < 0 && this.unread <= this.engine.limits.headerBytes) return;
    this.readRequests();
  }

  /** The client ended its side. */
  ended(): void {
    this.halfClosed = true;
    if (this.exchange === undefined) {
      // What is still queued goes out first; then the flush closes.
      if (this.out.queued === 0) this.finish();
      return;
    }
    if (this.exchange.isTunnel) return this.exchange.clientEndedTunnel();
    this.closeIfCutShort();
    if (this.phase === "closed") return;
    // Gone or only half-closed? The other kernel tells by a reset, once it has forgotten a closed connection.
    this.socket.setKeepAlive(true, GONE_PROBE_MS);
  }

  /** Half a body is no request; but what waits here may be all that was missing. */
  closeIfCutShort(): void {
    if (this.halfClosed && this.input === undefined && this.exchange?.received === false) this.close();
  }

  drained(): void {
    const taken = this.out.drain();
    if (this.phase === "closed") return;
    if (this.out.queued === 0) this.exchange?.clientDrained();
    else if (taken > 0) this.deadline = this.engine.ticker.now + this.engine.limits.sendStallMs;
  }

  expire(): void {
    if (this.exchange !== undefined) return this.exchange.expire();
    if (this.phase === "head" && this.input !== undefined && this.out.queued === 0)
      return this.answerError({ code: "request_timeout", status: 408, keepAlive: false });
    this.finish();
  }

  /** The request's body was read up to `end` of `input`. */
  consumed(end: number): void {
    if (this.input === undefined) return;
    if (end >= this.input.length) {
      this.input = undefined;
      this.inputAt = 0;
    } else this.inputAt = end;
    if (this.unread <= this.engine.limits.bufferBytes) this.resume();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /** The connection is a byte stream to the app from here on. */
  tunnelBegun(): void {
    const { input } = this;
    this.resume();
    this.socket.setKeepAlive(true, 60_000);
    if (input === undefined) return;
    const rest = input.subarray(this.inputAt);
    this.input = undefined;
    this.exchange?.tunnelData(rest);
  }

  shutdown(): void {
    this.out.whenFlushed(() => this.socket.shutdown());
  }

  /** The answer is complete. `keepAlive` false: close when it is out. */
  exchangeDone(keepAlive: boolean): void {
    // A client that asked for the end and has sent all it had will send no more: no need to listen on.
    this.saidAll ||= this.exchange !== undefined && !this.exchange.keepAlive && this.exchange.received;
    this.exchange = undefined;
    if (!keepAlive || this.halfClosed) return this.closeAfterFlush();
    if (this.out.queued === 0) return this.nextRequest();
    // The next request waits until this answer is with the kernel, or a client that never reads would fill memory.
    this.deadline = this.engine.ticker.now + this.engine.limits.sendStallMs;
    this.out.whenFlushed(() => this.nextRequest());
  }

  /** Answers in the proxy's own name and ends the exchange. */
  answerError(error: ErrorAnswer): void {
    if (this.phase === "closing" || this.phase === "closed") return;
    const keepAlive = error.keepAlive && !this.engine.draining && !this.halfClosed;
    const { status, bytes } = renderLocalAnswer({
      code: error.code,
      status: error.status,
      route: error.route,
      accept: acceptOf(error.request),
      headOnly: error.request?.headOnly ?? false,
      close: !keepAlive,
      instance: error.instance,
    });
    const { exchange } = this;
    const access = error.request?.access;
    if (access !== undefined) access.error = error.code;
    if (exchange !== undefined) exchange.end(status, false);
    else access?.end(status, 0, 0);
    this.out.write(bytes);
    this.exchangeDone(keepAlive);
  }

  /** Cuts the connection: the client must not take what it has for a whole answer. */
  abort(): void {
    this.exchange?.end(502, false);
    this.exchange = undefined;
    this.close();
  }

  /** The proxy ends now: a request that waits is told so, one with a part of its answer is cut. */
  cutOff(): void {
    this.exchange?.cutOff();
    if (this.exchange === undefined && this.out.queued === 0) this.finish();
    else this.close();
  }

  /** Closes when everything is out, reading on for a moment if the client may still be sending. */
  closeAfterFlush(): void {
    this.exchange?.end(101, false);
    this.exchange = undefined;
    if (this.phase === "closing" || this.phase === "closed") return;
    this.phase = "closing";
    if (this.input !== undefined) this.saidAll = false;
    this.input = undefined;
    this.deadline = this.engine.ticker.now + this.engine.limits.sendStallMs;
    this.resume();
    this.out.whenFlushed(() => this.linger());
  }

  /** Closes in order: all that was written arrives. */
  finish(): void {
    if (this.phase === "closed") return;
    // Without TLS there is nothing left to say: `close` is a system call less.
    if (this.door.secure) this.socket.end();
    else this.socket.close();
    this.closed();
  }

  /** Closes at once. */
  close(): void {
    if (this.phase === "closed") return;
    this.socket.terminate();
    this.closed();
  }

  /** The socket is gone, whoever closed it. */
  closed(): void {
    if (this.phase === "closed") return;
    this.phase = "closed";
    // 499, as nginx logs it: the client went away before its answer.
    this.exchange?.end(this.exchange.isTunnel ? 101 : 499, false);
    this.exchange = undefined;
    this.out.discard();
    this.input = undefined;
    this.engine.ticker.delete(this);
    this.engine.forgetClient(this);
  }

  private get unread(): number {
    return this.input === undefined ? 0 : this.input.length - this.inputAt;
  }

  private nextRequest(): void {
    if (this.phase === "closing" || this.phase === "closed") return;
    if (this.halfClosed || (this.engine.endsIdle && this.input === undefined)) return this.closeAfterFlush();
    this.phase = "head";
    const { ticker, limits } = this.engine;
    this.deadline = ticker.now + (this.input === undefined ? limits.keepAliveIdleMs : limits.headTimeoutMs);
    this.resume();
    if (!this.reading) this.readRequests();
  }

  private readRequests(): void {
    this.reading = true;
    while (this.phase === "head" && this.input !== undefined && this.out.queued === 0) {
      const bytes = this.input;
      const head = this.engine.requestHead;
      const end = head.parse(bytes, this.inputAt);
      if (end === INCOMPLETE) break;
      if (end < 0) {
        this.engine.log.debug("refused a request", { peer: this.peer.address, problem: head.problem });
        this.answerError({ code: head.code, keepAlive: false });
        break;
      }
      this.phase = "exchange";
      this.startExchange(bytes, end);
    }
    this.reading = false;
  }

  private startExchange(bytes: Buffer, end: number): void {
    const { engine } = this;
    const head = engine.requestHead;
    const entry = this.route(head);
    if (entry?.site !== undefined && entry.spec.redirect === undefined && !this.misdirected(entry, head))
      return this.answerFromSite(entry, entry.site, bytes, end);
    const request = takeRequest(engine, bytes, head, this.peer, entry);
    this.consumed(end);
    const keepAlive = request.keepAlive && request.framing === "none" && !request.http10;
    if (entry === undefined) return this.answerError({ code: "unknown_host", request, keepAlive });
    if (this.misdirected(entry, head))
      return this.answerError({ code: "unknown_host", status: 421, request, keepAlive });
    if (entry.spec.redirect !== undefined)
      return this.redirect(entry, entry.spec.redirect, request, keepAlive);
    if (request.contentLength > entry.spec.max_body_bytes)
      return this.answerError({ code: "body_too_large", request, route: entry.spec, keepAlive: false });
    const exchange = new Exchange(engine, this, entry, request);
    this.exchange = exchange;
    exchange.dispatch();
  }

  /** A route that has nothing but a static release needs no request for an app. */
  private answerFromSite(entry: RouteEntry, site: TargetState, bytes: Buffer, end: number): void {
    const { engine, inputAt } = this;
    const head = engine.requestHead;
    const asked = askedOfSite(engine, bytes, head, this.peer, entry);
    this.consumed(end);
    const exchange = new SiteExchange(engine, this, entry, site, asked);
    this.exchange = exchange;
    exchange.start(bytes, inputAt, head, pathFor(entry, head));
  }

  /** `before` was about to be sent to an app, and it is the turn of a static release. */
  handToSite(before: Exchange, entry: RouteEntry, site: TargetState): void {
    const { request } = before;
    const head = this.engine.requestHead;
    head.parse(request.bytes, 0);
    const exchange = new SiteExchange(this.engine, this, entry, site, request);
    this.exchange = exchange;
    exchange.start(request.bytes, 0, head, head.path);
  }

  private redirect(entry: RouteEntry, to: Redirect, request: ExchangeRequest, mayKeep: boolean): void {
    const keepAlive = mayKeep && !this.engine.draining && !this.halfClosed;
    const location = locationOf(to, entry.spec, this.engine.requestHead);
    entry.state.counters.record(to.code, 0, 0, 0);
    request.access?.end(to.code, 0, 0);
    this.out.write(renderRedirect(to, location, { headOnly: request.headOnly, close: !keepAlive }));
    this.exchangeDone(keepAlive);
  }

  private route(head: RequestHead): RouteEntry | undefined {
    const { router } = this.engine;
    const { appPort } = this.door;
    return appPort === undefined ? router.find(head.authority.name, head) : router.findPort(appPort);
  }

  /** The handshake named another app than the request does (RFC 9110 section 15.5.20). */
  private misdirected(entry: RouteEntry, head: RequestHead): boolean {
    if (this.serverName === "" || this.door.appPort !== undefined) return false;
    const named = this.engine.router.find(this.serverName, head)?.spec;
    return (
      named !== undefined && (named.app !== entry.spec.app || named.environment !== entry.spec.environment)
    );
  }

  /** RFC 9112 section 9.6: end our side, read a little longer, then close, so that no reset eats the answer. */
  private linger(): void {
    if (this.phase !== "closing") return;
    if (this.halfClosed || this.saidAll) return this.finish();
    this.socket.shutdown();
    this.deadline = this.engine.ticker.now + this.engine.limits.lingerMs;
  }
}

const GONE_PROBE_MS = 10_000;
