import type { Log } from "../log.ts";
import type { Carrier, Prepared, Report } from "./carrier.ts";
import { type Libc, openLibc } from "./libc.ts";
import type { Limits } from "./limits.ts";
import { type BindFailure, keyOf, wantedBy } from "./listeners.ts";
import { type BoundAddress, ListeningSockets } from "./listening-sockets.ts";
import { MergedMetrics } from "./merged-metrics.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface FleetOptions {
  count: number;
  /** Starts one worker: argv. */
  command: string[];
  limits: Limits;
  /** The proxy's own. */
  directory: string;
  log: Log;
  wake(route: string): void;
}

interface Slot {
  current: WorkerProcess | undefined;
  /** When it took its place. */
  since: number;
  /** Deaths shortly after a start, one after the other. */
  quickDeaths: number;
}

const QUICK_MS = 1_000;
const MAX_PAUSE_MS = 1_000;
/** For a worker to let go of its sockets, on a machine that is very busy. */
const LET_GO_MS = 3_000;

/**
 * Workers, and the listening sockets that outlive them: one socket per worker and address, held here. What waits in a
 * socket while its worker is replaced or dead is taken by the next one.
 */
export class WorkerFleet implements Carrier {
  private readonly libc: Libc = openLibc();
  readonly sockets: ListeningSockets;
  private readonly slots: Slot[];
  private readonly draining = new Set<WorkerProcess>();
  /** Knows all that the others know and listens on nothing: takes the place of one that dies, without a start. */
  private spare: WorkerProcess | undefined;
  private table: RouteTable | undefined;
  private certificates: CertificateSet | undefined;
  private failing: string[] = [];
  private readonly metrics = new MergedMetrics();
  private stopping = false;

  constructor(private readonly options: FleetOptions) {
    this.sockets = new ListeningSockets(this.libc, options.count);
    this.slots = Array.from({ length: options.count }, () => ({
      current: undefined,
      since: 0,
      quickDeaths: 0,
    }));
    for (const index of this.slots.keys()) void this.place(index, this.start());
  }

  get workers(): number {
    return this.slots.length;
  }

  prepare(table: RouteTable): Prepared | { failures: BindFailure[] } {
    const bound = this.sockets.bind(table);
    if (bound.failures !== undefined) return bound;
    const { fresh } = bound;
    return {
      failures: undefined,
      undo: () => this.sockets.undo(fresh),
      apply: () => this.apply(table, fresh),
    };
  }

  async serve(table: RouteTable): Promise<BindFailure[]> {
    const { failures, fresh } = await this.sockets.bindWhatIsFree(table);
    await this.apply(table, fresh);
    return failures;
  }

  complete(table: RouteTable): boolean {
    return this.sockets.complete(table);
  }

  async useCertificates(set: CertificateSet): Promise<void> {
    this.certificates = set;
    void this.spare?.ask({ type: "certificates", set });
    await Promise.all(this.current().map((worker) => worker.ask({ type: "certificates", set })));
  }

  setFailing(instances: ReadonlySet<string>): void {
    this.failing = [...instances];
    for (const worker of this.everyone()) worker.tell({ type: "failing", instances: this.failing });
  }

  async report(): Promise<Report> {
    const all = [...this.current(), ...this.draining];
    const answers = await Promise.all(all.map((worker) => worker.ask({ type: "report" })));
    const sum: Report = { inFlight: {}, connections: 0, uses: {} };
    for (const answer of answers) if (answer?.report !== undefined) addTo(sum, answer.report);
    return sum;
  }

  async takeMetrics(): Promise<RouteMetrics[]> {
    const ask = async (worker: WorkerProcess) =>
      this.metrics.add(worker, (await worker.ask({ type: "metrics" }))?.metrics ?? []);
    await Promise.all([...this.current(), ...this.draining].map(ask));
    return this.metrics.take();
  }

  /** One after the other: a successor listens on the same sockets before the old worker stops taking connections. */
  async restart(): Promise<void> {
    void this.spare?.ask({ type: "drain", gentle: false });
    this.spare = undefined;
    for (const [index, slot] of this.slots.entries()) {
      const old = slot.current;
      await this.place(index, this.start());
      if (old === undefined) continue;
      this.draining.add(old);
      void old.ask({ type: "drain", gentle: true });
    }
    this.keepSpare();
  }

  async stopListening(gentle: boolean): Promise<void> {
    this.stopping = true;
    const each = this.everyone().map((worker) => worker.ask({ type: "drain", gentle }));
    this.sockets.closeAll();
    // A worker has descriptors of its own: until it closes them, the kernel may still give it connections.
    await Promise.race([Promise.all(each), Bun.sleep(LET_GO_MS)]);
  }

  async drain(): Promise<void> {
    const all = this.everyone();
    const patience = setTimeout(() => {
      for (const worker of all) worker.kill();
    }, this.options.limits.drainMs + 1_000);
    await Promise.all(all.map((worker) => worker.exited));
    clearTimeout(patience);
  }

  private async apply(table: RouteTable, fresh: BoundAddress[]): Promise<void> {
    this.table = table;
    const open = fresh.map(({ wanted }) => wanted);
    const asked = this.slots.map(async ({ current }, index) => {
      current?.pass(fresh.map(({ fds }) => fds[index]!));
      await current?.ask({ type: "apply", table, open });
    });
    void this.spare?.ask({ type: "apply", table, open: [] });
    // Connections that stay open for a while yet must not go by the old table.
    const leaving = [...this.draining].map((worker) => worker.ask({ type: "apply", table, open: [] }));
    await Promise.all([...asked, ...leaving]);
    this.sockets.closeUnwanted(table);
    this.keepSpare();
  }

  /** Starts a worker and tells it all that is in force. It listens on nothing yet. */
  private start(): WorkerProcess {
    const { options } = this;
    const worker = new WorkerProcess(this.libc, options.command, (message) => {
      if (message.type === "wake") options.wake(message.route);
      else this.metrics.add(worker, message.metrics);
    });
    worker.tell({ type: "start", limits: options.limits, directory: options.directory });
    if (this.certificates !== undefined) void worker.ask({ type: "certificates", set: this.certificates });
    if (this.table !== undefined) void worker.ask({ type: "apply", table: this.table, open: [] });
    worker.tell({ type: "failing", instances: this.failing });
    return worker;
  }

  /** Gives a worker its place and sockets. Resolves when it serves, or is gone. */
  private async place(index: number, worker: WorkerProcess): Promise<void> {
    const slot = this.slots[index]!;
    slot.current = worker;
    slot.since = performance.now();
    void worker.exited.then(() => this.exited(index, worker));
    if (this.table === undefined) return;
    // What is bound for a table that does not serve yet comes with that table.
    const inForce = new Set(wantedBy(this.table).map(keyOf));
    const open = this.sockets.all.filter(({ wanted }) => inForce.has(keyOf(wanted)));
    worker.pass(open.map(({ fds }) => fds[index]!));
    await worker.ask({ type: "listen", open: open.map(({ wanted }) => wanted) });
  }

  private keepSpare(): void {
    if (this.spare !== undefined || this.stopping) return;
    const spare = this.start();
    this.spare = spare;
    void spare.exited.then(() => {
      if (this.spare !== spare) return;
      this.spare = undefined;
      setTimeout(() => this.keepSpare(), MAX_PAUSE_MS);
    });
  }

  private exited(index: number, worker: WorkerProcess): void {
    this.draining.delete(worker);
    this.metrics.forget(worker);
    const slot = this.slots[index]!;
    if (this.stopping || slot.current !== worker) return;
    const quick = performance.now() - slot.since < QUICK_MS;
    slot.quickDeaths = quick ? slot.quickDeaths + 1 : 0;
    slot.current = undefined;
    const pauseMs = slot.quickDeaths < 2 ? 0 : Math.min(MAX_PAUSE_MS, 20 * 2 ** slot.quickDeaths);
    this.options.log.error("a worker ended unexpectedly; another takes its place", {
      pid: worker.pid,
      pauseMs,
    });
    if (pauseMs === 0) this.replace(index);
    else setTimeout(() => this.stopping || this.replace(index), pauseMs);
  }

  private replace(index: number): void {
    const worker = this.spare ?? this.start();
    this.spare = undefined;
    void this.place(index, worker);
    this.keepSpare();
  }

  private everyone(): WorkerProcess[] {
    return [...this.current(), ...this.draining, ...(this.spare === undefined ? [] : [this.spare])];
  }

  private current(): WorkerProcess[] {
    return this.slots.flatMap(({ current }) => (current === undefined ? [] : [current]));
  }
}

function addTo(sum: Report, { inFlight, connections, uses }: Report): void {
  sum.connections += connections;
  for (const [instance, count] of Object.entries(inFlight))
    sum.inFlight[instance] = (sum.inFlight[instance] ?? 0) + count;
  for (const [route, { ended, open }] of Object.entries(uses)) {
    const known = sum.uses[route] ?? { ended: 0, open: 0 };
    sum.uses[route] = { ended: known.ended + ended, open: known.open + open };
  }
}
