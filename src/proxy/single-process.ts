import type { Carrier, Prepared, Report } from "./carrier.ts";
import { Certificates } from "./certificates.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { duplicate, openLibc } from "./libc.ts";
import { type BindFailure, Listeners } from "./listeners.ts";
import { type BoundAddress, ListeningSockets } from "./listening-sockets.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";

/** Everything in one process: for small boxes and tests. */
export class SingleProcess implements Carrier {
  readonly workers = 1;
  private readonly engine: Engine;
  private readonly listeners: Listeners;
  private readonly libc = openLibc();
  readonly sockets = new ListeningSockets(this.libc, 1);
  private certificates = Certificates.none;
  private gentle = false;

  constructor(options: EngineOptions) {
    this.engine = new Engine(options);
    this.listeners = new Listeners(this.engine, () => this.certificates);
  }

  prepare(table: RouteTable): Prepared | { failures: BindFailure[] } {
    const bound = this.sockets.bind(table);
    if (bound.failures !== undefined) return bound;
    const { fresh } = bound;
    return {
      failures: undefined,
      undo: () => this.sockets.undo(fresh),
      apply: async () => this.apply(table, fresh),
    };
  }

  async serve(table: RouteTable): Promise<BindFailure[]> {
    const { failures, fresh } = await this.sockets.bindWhatIsFree(table);
    this.apply(table, fresh);
    return failures;
  }

  complete(table: RouteTable): boolean {
    return this.sockets.complete(table);
  }

  async useCertificates(set: CertificateSet): Promise<void> {
    this.certificates = await Certificates.load(set);
  }

  setFailing(instances: ReadonlySet<string>): void {
    this.engine.targets.setFailing(instances);
  }

  async report(): Promise<Report> {
    return this.engine.report();
  }

  async takeMetrics(): Promise<RouteMetrics[]> {
    return this.engine.takeMetrics();
  }

  async restart(): Promise<void> {}

  async stopListening(gentle: boolean): Promise<void> {
    this.gentle = gentle;
    this.listeners.stop();
    this.sockets.closeAll();
  }

  drain(): Promise<void> {
    return this.engine.drain(this.gentle);
  }

  private apply(table: RouteTable, fresh: BoundAddress[]): void {
    // The table first: a connection must not meet a listener whose route is not there yet.
    this.engine.swap(this.engine.compile(table), table.settings);
    for (const { wanted, fds } of fresh) this.listeners.adopt(wanted, duplicate(this.libc, fds[0]!));
    this.listeners.closeUnwanted(table);
    this.sockets.closeUnwanted(table);
  }
}
