import type { Log } from "../log.ts";
import type { Carrier, Prepared, Report } from "./carrier.ts";
import { type Libc, openLibc } from "./libc.ts";
import type { Limits } from "./limits.ts";
import { type BindFailure, keyOf, type Wanted, wantedBy } from "./listeners.ts";
import { openListeningSockets } from "./listening-socket.ts";
import { MergedMetrics } from "./merged-metrics.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface FleetOptions {
  count: number;
  /** Starts one worker: argv. */
  command: string[];
  limits: Limits;
  log: Log;
  wake(route: string): void;
}

interface Slot {
  current: WorkerProcess | undefined;
  /** Deaths shortly after a start, one after the other. */
  quickDeaths: number;
}

const QUICK_MS = 1_000;
const MAX_PAUSE_MS = 1_000;
const BIND_RETRY_MS = 50;
const BIND_PATIENCE_MS = 2_000;

/**
 * Workers, and the listening sockets that outlive them: one socket per worker and address, held here. What waits in a
 * socket while its worker is replaced or dead is taken by the next one.
 */
export class WorkerFleet implements Carrier {
  private readonly libc: Libc = openLibc();
  private readonly slots: Slot[];
  private readonly draining = new Set<WorkerProcess>();
  private readonly sockets = new Map<string, { wanted: Wanted; fds: number[] }>();
  private table: RouteTable | undefined;
  private certificates: CertificateSet | undefined;
  private readonly metrics = new MergedMetrics();
  private stopping = false;

  constructor(private readonly options: FleetOptions) {
    this.slots = Array.from({ length: options.count }, () => ({ current: undefined, quickDeaths: 0 }));
    for (const index of this.slots.keys()) void this.spawn(index);
  }

  get workers(): number {
    return this.slots.length;
  }

  prepare(table: RouteTable): Prepared | { failures: BindFailure[] } {
    const fresh: string[] = [];
    const failures: BindFailure[] = [];
    for (const wanted of wantedBy(table)) {
      if (this.sockets.has(keyOf(wanted))) continue;
      const error = this.open(wanted);
      if (error === undefined) fresh.push(keyOf(wanted));
      else failures.push({ host: wanted.host, port: wanted.port, error });
    }
    const undo = () => {
      for (const key of fresh) this.close(key);
    };
    if (failures.length === 0) return { failures: undefined, undo, apply: () => this.apply(table, fresh) };
    undo();
    return { failures };
  }

  async serve(table: RouteTable): Promise<BindFailure[]> {
    const until = performance.now() + BIND_PATIENCE_MS;
    let failures: BindFailure[] = [];
    const fresh: string[] = [];
    for (const wanted of wantedBy(table)) {
      let error = this.open(wanted);
      // Workers of a predecessor that was killed let go as soon as they notice.
      while (error === "EADDRINUSE" && performance.now() < until) {
        await Bun.sleep(BIND_RETRY_MS);
        error = this.open(wanted);
      }
      if (error === undefined) fresh.push(keyOf(wanted));
      else failures = [...failures, { host: wanted.host, port: wanted.port, error }];
    }
    await this.apply(table, fresh);
    return failures;
  }

  complete(table: RouteTable): boolean {
    return wantedBy(table).every((wanted) => this.sockets.has(keyOf(wanted)));
  }

  async useCertificates(set: CertificateSet): Promise<void> {
    this.certificates = set;
    await Promise.all(this.current().map((worker) => worker.ask({ type: "certificates", set })));
  }

  async report(): Promise<Report> {
    const all = [...this.current(), ...this.draining];
    const reports = await Promise.all(all.map((worker) => worker.ask({ type: "report" })));
    const inFlight: Record<string, number> = {};
    let connections = 0;
    for (const answer of reports) {
      connections += answer?.report?.connections ?? 0;
      for (const [instance, count] of Object.entries(answer?.report?.inFlight ?? {}))
        inFlight[instance] = (inFlight[instance] ?? 0) + count;
    }
    return { inFlight, connections };
  }

  async takeMetrics(): Promise<RouteMetrics[]> {
    const ask = async (worker: WorkerProcess) =>
      this.metrics.add(worker, (await worker.ask({ type: "metrics" }))?.metrics ?? []);
    await Promise.all([...this.current(), ...this.draining].map(ask));
    return this.metrics.take();
  }

  /** One after the other: a successor listens on the same sockets before the old worker stops taking connections. */
  async restart(): Promise<void> {
    for (const [index, slot] of this.slots.entries()) {
      const old = slot.current;
      await this.spawn(index);
      if (old === undefined) continue;
      this.draining.add(old);
      old.tell({ type: "drain", gentle: true });
    }
  }

  async drain(): Promise<void> {
    this.stopping = true;
    const all = [...this.current(), ...this.draining];
    for (const worker of all) worker.tell({ type: "drain", gentle: false });
    const patience = setTimeout(() => {
      for (const worker of all) worker.kill();
    }, this.options.limits.drainMs + 1_000);
    for (const key of [...this.sockets.keys()]) this.close(key);
    await Promise.all(all.map((worker) => worker.exited));
    clearTimeout(patience);
  }

  private async apply(table: RouteTable, fresh: string[]): Promise<void> {
    this.table = table;
    const open = fresh.map((key) => this.sockets.get(key)!);
    const asked = this.slots.map(async ({ current }, index) => {
      current?.pass(open.map(({ fds }) => fds[index]!));
      await current?.ask({ type: "apply", table, open: open.map(({ wanted }) => wanted) });
    });
    await Promise.all(asked);
    const wanted = new Set(wantedBy(table).map(keyOf));
    for (const key of [...this.sockets.keys()]) if (!wanted.has(key)) this.close(key);
  }

  /** Starts a worker with all that serves now. Resolves when it serves too, or is gone. */
  private async spawn(index: number): Promise<void> {
    const { options } = this;
    const worker = new WorkerProcess(this.libc, options.command, (message) => {
      if (message.type === "wake") options.wake(message.route);
      else this.metrics.add(worker, message.metrics);
    });
    const slot = this.slots[index]!;
    slot.current = worker;
    void worker.exited.then(() => this.exited(index, worker));
    worker.tell({ type: "start", limits: options.limits });
    if (this.certificates !== undefined) void worker.ask({ type: "certificates", set: this.certificates });
    if (this.table === undefined) return;
    const open = [...this.sockets.values()];
    worker.pass(open.map(({ fds }) => fds[index]!));
    await worker.ask({ type: "apply", table: this.table, open: open.map(({ wanted }) => wanted) });
  }

  private exited(index: number, worker: WorkerProcess): void {
    this.draining.delete(worker);
    this.metrics.forget(worker);
    const slot = this.slots[index]!;
    if (this.stopping || slot.current !== worker) return;
    const quick = performance.now() - worker.startedAt < QUICK_MS;
    slot.quickDeaths = quick ? slot.quickDeaths + 1 : 0;
    slot.current = undefined;
    const pauseMs = slot.quickDeaths < 2 ? 0 : Math.min(MAX_PAUSE_MS, 20 * 2 ** slot.quickDeaths);
    this.options.log.error("a worker ended unexpectedly; starting another", { pid: worker.pid, pauseMs });
    if (pauseMs === 0) void this.spawn(index);
    else setTimeout(() => void (this.stopping || this.spawn(index)), pauseMs);
  }

  private current(): WorkerProcess[] {
    return this.slots.flatMap(({ current }) => (current === undefined ? [] : [current]));
  }

  private open(wanted: Wanted): string | undefined {
    const { host, port } = wanted;
    // An address of ours on the same port is being replaced by this one; the kernel lets both be for the moment.
    const ours = [...this.sockets.values()].some((socket) => socket.wanted.port === port);
    const fds = openListeningSockets(this.libc, host, port, this.slots.length, !ours);
    if (typeof fds === "string") return fds;
    this.sockets.set(keyOf(wanted), { wanted, fds });
    return undefined;
  }

  private close(key: string): void {
    for (const fd of this.sockets.get(key)?.fds ?? []) this.libc.close(fd);
    this.sockets.delete(key);
  }
}
