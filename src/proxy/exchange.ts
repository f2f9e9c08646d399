import type { AccessRecord } from "./access-record.ts";
import type { Answering, ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine.ts";
import type { Held } from "./hold-queue.ts";
import type { ProxyErrorCode, Route } from "./protocol.ts";
import type { RequestFraming } from "./request-head.ts";
import { originOf } from "./request-intake.ts";
import { RequestRelay } from "./request-relay.ts";
import { ResponseRelay } from "./response-relay.ts";
import type { RouteEntry } from "./router.ts";
import type { TargetState } from "./target.ts";
import { UpstreamConnection, type UpstreamUser } from "./upstream-connection.ts";

/** A request as its app gets it, free of the client's bytes. */
export interface ExchangeRequest {
  /** The rewritten head. */
  bytes: Buffer;
  framing: RequestFraming;
  contentLength: number;
  headOnly: boolean;
  http10: boolean;
  keepAlive: boolean;
  /** May be sent twice without harm (RFC 9110 section 9.2.2). */
  idempotent: boolean;
  wantsUpgrade: boolean;
  /** Carried the probe's secret: the answer names the instance. */
  probe: boolean;
  /** Neither connection may carry another request after this one. */
  closes: boolean;
  /** Alias of the instance that answered this client before; empty when unknown or not asked for. */
  sticky: string;
  /** Only where the route wants an access log. */
  access: AccessRecord | undefined;
}

/** A pooled connection that rested longer may just be closing at the other end: too risky for what cannot be repeated. */
const FRESH_MS = 1_000;
const MAX_STALE_RETRIES = 2;
const MAX_BROKEN_RETRIES = 1;

/**
 * One request on its way through: finds a target, waits for one if there is none, sends, retries what never reached
 * an instance, and hands the answer to its relay. Ends exactly once, in `end()`.
 */
export class Exchange implements UpstreamUser, Held, Answering {
  holdUntil = 0;
  upstream: UpstreamConnection | undefined;
  ended = false;

  private target: TargetState | undefined;
  private readonly tried: TargetState[] = [];
  private readonly startedAt: number;
  private readonly outward: RequestRelay;
  private readonly relay: ResponseRelay;
  private reused = false;
  private staleRetries = 0;
  private brokenRetries = 0;

  constructor(
    private readonly engine: Engine,
    private readonly client: ClientConnection,
    private entry: RouteEntry,
    readonly request: ExchangeRequest,
  ) {
    this.startedAt = request.access?.startedAt ?? performance.now();
    this.outward = new RequestRelay(client, this, request);
    this.relay = new ResponseRelay(engine, client, this);
    entry.state.counters.inFlight++;
  }

  get route(): Route {
    return this.entry.spec;
  }

  get instance(): string {
    return this.target?.instance ?? "";
  }

  /** Keeps the client at this instance; empty unless the route asks for it and the client does not know yet. */
  get stickyLine(): string {
    const { sticky } = this.entry;
    if (sticky === undefined || this.target === undefined) return "";
    return sticky.line(this.target, this.request.sticky, this.client.peer.secure);
  }

  /** The client has sent its whole request. */
  get received(): boolean {
    return this.outward.body.done;
  }

  dispatch(probe = false): void {
    if (this.ended) return;
    const entry = this.engine.router.get(this.entry.spec.id);
    if (entry === undefined) return this.fail("unknown_host");
    this.entry = entry;
    const target = this.choose();
    if (target === undefined || (!probe && this.shouldWait(target))) return this.hold();
    if (target.site !== "") return this.handToSite(target);
    this.target = target;
    target.inFlight++;
    this.client.deadline = Number.POSITIVE_INFINITY;
    const pooled = this.takePooled(target);
    this.reused = pooled !== undefined;
    if (pooled === undefined) {
      this.upstream = new UpstreamConnection(this.engine, target, this);
    } else {
      this.upstream = pooled;
      pooled.attach(this);
      this.send();
    }
  }

  giveUp(): void {
    if (this.entry.balancer.size > 0) this.fail("connection_failed");
    else this.fail(this.entry.spec.status === "failed" ? "start_failed" : "unhealthy");
  }

  upstreamOpened(): void {
    if (this.target !== undefined) this.target.skipUntil = 0;
    this.entry.state.hold.release();
    this.send();
  }

  upstreamRefused(reason: string): void {
    const target = this.leaveTarget();
    this.engine.log.debug("target refused a connection", { instance: target?.instance, reason });
    if (target !== undefined) {
      target.skipUntil = this.engine.ticker.now + this.engine.limits.skipMs;
      this.tried.push(target);
    }
    this.dispatch();
  }

  upstreamData(bytes: Buffer): void {
    this.relay.data(bytes);
  }

  upstreamDrained(): void {
    if (this.relay.tunnel) this.client.resume();
    else this.pump();
  }

  upstreamEnded(clean: boolean): void {
    if (this.relay.ended(clean)) return;
    const target = this.leaveTarget();
    if (!this.mayRepeat()) return this.fail("connection_failed");
    if (!this.reused && target !== undefined) this.tried.push(target);
    this.dispatch();
  }

  /** Passes on what has come of the body. Called whenever the client sent, or the app's connection took bytes. */
  pump(): void {
    const out = this.upstream?.out;
    if (out === undefined || !this.outward.pump(out)) return;
    this.setDeadline();
    this.client.closeIfCutShort();
  }

  /** The client's deadline passed while this request was open. */
  expire(): void {
    if (this.relay.begun) return this.client.abort();
    const appIsSlow = this.received || !this.outward.sent || (this.upstream?.out?.queued ?? 0) > 0;
    this.fail("request_timeout", appIsSlow ? undefined : 408);
  }

  cutOff(): void {
    if (!this.relay.begun) this.fail("shutting_down");
  }

  /** The client took everything that waited for it. */
  clientDrained(): void {
    this.upstream?.resume();
    this.setDeadline();
  }

  /** Bytes of the client on an upgraded connection. */
  tunnelData(bytes: Buffer): void {
    const out = this.upstream?.out;
    if (out === undefined) return;
    this.client.deadline = this.engine.ticker.now + this.engine.limits.tunnelIdleMs;
    if (!out.write(bytes)) this.client.pause();
  }

  clientEndedTunnel(): void {
    this.relay.endTunnelSide("client");
  }

  get keepAlive(): boolean {
    return this.request.keepAlive;
  }

  get isTunnel(): boolean {
    return this.relay.tunnel;
  }

  /** Answers with an error page, or cuts the connection when the answer has begun already. */
  fail(code: ProxyErrorCode, status?: number): void {
    if (this.ended) return;
    if (this.relay.begun) return this.client.abort();
    const { client, request } = this;
    client.answerError({
      code,
      status,
      request,
      route: this.route,
      keepAlive: request.keepAlive && this.received && !request.http10,
    });
  }

  /** Once, whatever the outcome: frees the target, counts. `reusable`: the app's connection can carry another request. */
  end(status: number, reusable: boolean): void {
    if (this.ended) return;
    this.ended = true;
    const target = this.leaveTarget(reusable);
    const { hold, counters } = this.entry.state;
    hold.delete(this);
    counters.inFlight--;
    const now = performance.now();
    const bytesIn = this.outward.body.contentBytes;
    const bytesOut = this.relay.contentBytes;
    counters.record(status, this.relay.tunnelAfterMs || now - this.startedAt, bytesIn, bytesOut);
    this.request.access?.end(status, bytesIn, bytesOut, target, now);
  }

  elapsedMs(): number {
    return performance.now() - this.startedAt;
  }

  private choose(): TargetState | undefined {
    const { entry, tried } = this;
    const { now } = this.engine.ticker;
    const known = entry.sticky?.target(this.request.sticky);
    if (known?.isWell(now) && !tried.includes(known)) return known;
    const { balancer } = entry;
    return balancer.pick(now, tried, balancer.kind === "ip_hash" ? this.address : "");
  }

  /** Of the client itself, also when a trusted proxy speaks for it. */
  private get address(): string {
    const { peer } = this.client;
    return peer.trusted ? originOf(this.request.bytes, this.engine.settings.trusted) : peer.address;
  }

  /** Even the best target refused a moment ago: one held request at a time tries it, not each that comes in. */
  private shouldWait(target: TargetState): boolean {
    const { max_requests, max_wait_ms } = this.entry.spec.hold;
    return target.skipUntil > this.engine.ticker.now && max_requests > 0 && max_wait_ms > 0;
  }

  /** It goes on there as an exchange of its own; no app has seen anything of it. */
  private handToSite(target: TargetState): void {
    this.ended = true;
    const { hold, counters } = this.entry.state;
    hold.delete(this);
    counters.inFlight--;
    this.client.handToSite(this, this.entry, target);
  }

  private takePooled(target: TargetState): UpstreamConnection | undefined {
    if (this.staleRetries >= MAX_STALE_RETRIES) return undefined;
    // What cannot be sent again must not meet a connection that is just being closed.
    const any = this.request.idempotent && this.received;
    return target.takeIdle(any ? Number.NEGATIVE_INFINITY : this.engine.ticker.now - FRESH_MS);
  }

  private hold(): void {
    const { spec, state, balancer } = this.entry;
    this.tried.length = 0;
    this.client.deadline = Number.POSITIVE_INFINITY;
    if (balancer.size === 0) {
      if (spec.wake) this.engine.wake(spec.id);
      else if (spec.status !== "running" && spec.status !== "starting") return this.giveUp();
    }
    const now = performance.now();
    if (this.holdUntil === 0) {
      this.holdUntil = now + spec.hold.max_wait_ms;
      if (spec.hold.max_requests > 0 && state.hold.size >= spec.hold.max_requests)
        return this.fail("overloaded");
    }
    if (spec.hold.max_requests === 0 || now >= this.holdUntil) return this.giveUp();
    state.hold.add(this);
  }

  private send(): void {
    this.outward.send(this.upstream!.out!);
    if (this.ended) return;
    this.setDeadline();
    this.client.closeIfCutShort();
  }

  private mayRepeat(): boolean {
    if (!this.outward.repeatable || this.relay.heard) return false;
    if (this.reused) return ++this.staleRetries <= MAX_STALE_RETRIES + 1;
    return ++this.brokenRetries <= MAX_BROKEN_RETRIES;
  }

  private setDeadline(): void {
    const { ticker, limits } = this.engine;
    const answer = this.received ? this.route.first_byte_timeout_ms : limits.bodyIdleMs;
    this.client.deadline = ticker.now + (this.relay.begun ? this.relay.idleMs : answer);
  }

  private leaveTarget(reusable = false): TargetState | undefined {
    const { target, upstream } = this;
    this.target = undefined;
    this.upstream = undefined;
    if (target !== undefined) target.inFlight--;
    if (reusable) upstream?.release();
    else upstream?.close();
    return target;
  }
}
