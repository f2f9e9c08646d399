import type { Libc } from "./libc.ts";
import { type BindFailure, keyOf, type Wanted, wantedBy } from "./listeners.ts";
import { openListeningSockets, preferNewest, preferNone, waitingConnections } from "./listening-socket.ts";
import type { RouteTable } from "./protocol.ts";

/** One address that is listened on, with a socket for each worker. */
export interface BoundAddress {
  wanted: Wanted;
  fds: number[];
}

const RETRY_MS = 50;
const PATIENCE_MS = 2_000;

/** The listening sockets that a table wants. Going from one table to the next keeps what both want. */
export class ListeningSockets {
  /** Share addresses with another process of the same user: a predecessor that is about to let go. */
  shareWithPredecessor = false;
  private readonly bound = new Map<string, BoundAddress>();

  constructor(
    private readonly libc: Libc,
    private readonly count: number,
  ) {}

  get all(): BoundAddress[] {
    return [...this.bound.values()];
  }

  /** Binds what is new, all or nothing. Nothing is closed before `closeUnwanted`. */
  bind(table: RouteTable): { failures: BindFailure[] } | { failures: undefined; fresh: BoundAddress[] } {
    const fresh: BoundAddress[] = [];
    const failures: BindFailure[] = [];
    for (const wanted of this.missing(table)) {
      const bound = this.open(wanted);
      if (typeof bound !== "string") fresh.push(bound);
      else failures.push({ host: wanted.host, port: wanted.port, error: bound });
    }
    if (failures.length === 0) return { failures: undefined, fresh };
    this.undo(fresh);
    return { failures };
  }

  /** For a start from disk: binds what it can. Whoever was killed a moment ago may take a moment to let go. */
  async bindWhatIsFree(table: RouteTable): Promise<{ failures: BindFailure[]; fresh: BoundAddress[] }> {
    const until = performance.now() + PATIENCE_MS;
    const fresh: BoundAddress[] = [];
    const failures: BindFailure[] = [];
    for (const wanted of this.missing(table)) {
      let bound = this.open(wanted);
      while (bound === "EADDRINUSE" && performance.now() < until) {
        await Bun.sleep(RETRY_MS);
        bound = this.open(wanted);
      }
      if (typeof bound !== "string") fresh.push(bound);
      else failures.push({ host: wanted.host, port: wanted.port, error: bound });
    }
    return { failures, fresh };
  }

  /**
   * From now on new connections are ours, not the predecessor's, which has so many sockets on each address. Returns on
   * how many addresses the kernel does not do that; there a few connections may be lost when the predecessor closes.
   */
  takePrecedence(older: number): number {
    return this.all.filter(({ fds }) => !preferNewest(this.libc, fds[0]!, older)).length;
  }

  /** The predecessor is gone. */
  shareAmongOwn(): void {
    this.shareWithPredecessor = false;
    for (const { fds } of this.all) preferNone(this.libc, fds[0]!);
  }

  /** Connections that wait to be taken. Closing the sockets would reset them. */
  get waiting(): number {
    const each = this.all.flatMap(({ fds }) => fds.map((fd) => waitingConnections(this.libc, fd)));
    return each.reduce((sum, count) => sum + count, 0);
  }

  complete(table: RouteTable): boolean {
    return this.missing(table).length === 0;
  }

  undo(fresh: BoundAddress[]): void {
    for (const { wanted } of fresh) this.close(keyOf(wanted));
  }

  closeUnwanted(table: RouteTable): void {
    const wanted = new Set(wantedBy(table).map(keyOf));
    for (const key of [...this.bound.keys()]) if (!wanted.has(key)) this.close(key);
  }

  closeAll(): void {
    for (const key of [...this.bound.keys()]) this.close(key);
  }

  private missing(table: RouteTable): Wanted[] {
    return wantedBy(table).filter((wanted) => !this.bound.has(keyOf(wanted)));
  }

  private open(wanted: Wanted): BoundAddress | string {
    const { host, port } = wanted;
    // An address of ours on the same port is being replaced by this one; the kernel lets both be for the moment.
    const ours = this.all.some((bound) => bound.wanted.port === port);
    const fds = openListeningSockets(this.libc, host, port, this.count, !ours && !this.shareWithPredecessor);
    if (typeof fds === "string") return fds;
    const bound = { wanted, fds };
    this.bound.set(keyOf(wanted), bound);
    return bound;
  }

  private close(key: string): void {
    for (const fd of this.bound.get(key)?.fds ?? []) this.libc.close(fd);
    this.bound.delete(key);
  }
}
