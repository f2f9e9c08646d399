import type { Carrier, Prepared, Report } from "./carrier.ts";
import { Certificates } from "./certificates.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { type BindFailure, Listeners } from "./listeners.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";

/** Everything in one process: for small boxes and tests. */
export class SingleProcess implements Carrier {
  readonly workers = 1;
  private readonly engine: Engine;
  private readonly listeners: Listeners;
  private certificates = Certificates.none;

  constructor(options: EngineOptions) {
    this.engine = new Engine(options);
    this.listeners = new Listeners(this.engine, () => this.certificates);
  }

  prepare(table: RouteTable): Prepared | { failures: BindFailure[] } {
    const bound = this.listeners.bind(table);
    if (bound.failures !== undefined) return { failures: bound.failures };
    const apply = async () => {
      this.engine.swap(this.engine.compile(table), table.settings);
      bound.closeOld();
    };
    return { failures: undefined, undo: bound.undo, apply };
  }

  async serve(table: RouteTable): Promise<BindFailure[]> {
    this.engine.swap(this.engine.compile(table), table.settings);
    return this.listeners.bindWhatIsFree(table);
  }

  complete(table: RouteTable): boolean {
    return this.listeners.complete(table);
  }

  async useCertificates(set: CertificateSet): Promise<void> {
    this.certificates = Certificates.load(set);
  }

  async report(): Promise<Report> {
    return { inFlight: this.engine.targets.inFlight(), connections: this.engine.clients.size };
  }

  async takeMetrics(): Promise<RouteMetrics[]> {
    return this.engine.takeMetrics();
  }

  async restart(): Promise<void> {}

  async drain(): Promise<void> {
    this.listeners.stop();
    await this.engine.drain();
  }
}
