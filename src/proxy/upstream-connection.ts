import type { Socket } from "bun";
import type { Engine } from "./engine.ts";
import { Outbound } from "./outbound.ts";
import type { TargetState } from "./target.ts";
import type { Timed } from "./ticker.ts";

/** Who uses an upstream connection at the moment. */
export interface UpstreamUser {
  upstreamOpened(): void;
  /** No connection came about. */
  upstreamRefused(reason: string): void;
  upstreamData(bytes: Buffer): void;
  /** `clean`: the app ended its side in order (FIN). */
  upstreamEnded(clean: boolean): void;
  upstreamDrained(): void;
}

const SURPLUS_IDLE_MS = 1_000;

/** One connection to an app. Serves one request at a time; between requests it rests in its target's pool. */
export class UpstreamConnection implements Timed {
  deadline: number;
  /** Requests that were sent on it before the present one. */
  served = 0;
  idleSince = 0;
  out: Outbound | undefined;
  private socket: Socket<UpstreamConnection> | undefined;
  private closed = false;
  private paused = false;

  /** Connects; `user` hears of the outcome, never within this call. */
  constructor(
    private readonly engine: Engine,
    readonly target: TargetState,
    private user: UpstreamUser | undefined,
  ) {
    this.deadline = engine.ticker.now + engine.limits.connectTimeoutMs;
    engine.ticker.add(this);
    engine.upstreams.add(this);
    const { host: hostname, port } = target;
    const options = {
      hostname,
      port,
      allowHalfOpen: true,
      socket: HANDLERS,
      data: this as UpstreamConnection,
    };
    // The rejection says the same as connectError.
    Bun.connect<UpstreamConnection>(options).catch((error: Error) => this.refused(error.message));
  }

  /** Takes a connection out of the pool. */
  attach(user: UpstreamUser): void {
    this.user = user;
    this.served++;
    this.deadline = Number.POSITIVE_INFINITY;
  }

  /** The answer is complete and the connection can carry another request. */
  release(): void {
    this.user = undefined;
    const { ticker, limits } = this.engine;
    const full = this.engine.upstreams.size > limits.connections;
    if (this.closed || full || this.target.retired || this.engine.draining) return this.close();
    this.resume();
    this.idleSince = ticker.now;
    // Under load more than the limit rest for a moment between two requests; only that many rest for long.
    const lasting = this.target.idle.length < limits.poolMaxIdlePerTarget;
    this.deadline = ticker.now + (lasting ? limits.poolIdleMs : SURPLUS_IDLE_MS);
    this.target.idle.push(this);
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket?.resume();
  }

  /** Ends our side; the app may still send. */
  shutdown(): void {
    this.out?.whenFlushed(() => this.socket?.shutdown());
  }

  /** Closes at once, without a word to the user. */
  close(): void {
    this.user = undefined;
    if (this.closed) return;
    const resting = this.target.idle.includes(this);
    this.forget();
    this.out?.discard();
    // An idle connection ends politely; one in the middle of something must not look complete to the app.
    if (resting) this.socket?.end();
    else this.socket?.terminate();
  }

  expire(): void {
    if (this.socket === undefined) this.refused("timeout");
    else this.close();
  }

  opened(socket: Socket<UpstreamConnection>): void {
    // Nobody waits any more: connecting cannot be cancelled, only its result be thrown away.
    if (this.closed) return void socket.terminate();
    this.socket = socket;
    this.out = new Outbound(socket);
    this.deadline = Number.POSITIVE_INFINITY;
    socket.setKeepAlive(true, 60_000);
    this.user?.upstreamOpened();
  }

  refused(reason: string): void {
    if (this.closed || this.socket !== undefined) return;
    this.forget();
    const { user } = this;
    this.user = undefined;
    user?.upstreamRefused(reason);
  }

  received(bytes: Buffer): void {
    // An app that speaks without being asked: nobody may ever take that for an answer.
    if (this.user === undefined) this.close();
    else this.user.upstreamData(bytes);
  }

  ended(clean: boolean): void {
    const { user } = this;
    if (!clean) this.forget();
    if (user === undefined) this.close();
    else user.upstreamEnded(clean);
  }

  /** One of our own handlers threw: that costs this request, never the process. */
  failed(error: Error): void {
    this.engine.log.error("upstream connection failed", { error });
    const { user } = this;
    this.close();
    user?.upstreamEnded(false);
  }

  drained(): void {
    if (this.out === undefined || this.closed) return;
    this.out.drain();
    if (this.out.queued === 0) this.user?.upstreamDrained();
  }

  private forget(): void {
    this.closed = true;
    this.engine.ticker.delete(this);
    this.engine.upstreams.delete(this);
    const at = this.target.idle.indexOf(this);
    if (at >= 0) this.target.idle.splice(at, 1);
  }
}

const HANDLERS = {
  open: (socket: Socket<UpstreamConnection>) => socket.data.opened(socket),
  data: (socket: Socket<UpstreamConnection>, bytes: Buffer) => socket.data.received(bytes),
  end: (socket: Socket<UpstreamConnection>) => socket.data.ended(true),
  close: (socket: Socket<UpstreamConnection>) => socket.data.ended(false),
  drain: (socket: Socket<UpstreamConnection>) => socket.data.drained(),
  connectError: (socket: Socket<UpstreamConnection>, error: Error) => socket.data?.refused(error.message),
  error: (socket: Socket<UpstreamConnection>, error: Error) => socket.data.failed(error),
};
