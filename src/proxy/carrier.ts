import type { BindFailure } from "./listeners.ts";
import type { ListeningSockets } from "./listening-sockets.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";

export interface Uses {
  ended: number;
  open: number;
}

export interface Report {
  /** Open requests by instance. */
  inFlight: Record<string, number>;
  connections: number;
  /** By route: requests that ended since it was first named, and those open now. */
  uses: Record<string, Uses>;
}

/** A table whose listeners are bound and which does not serve yet. */
export interface Prepared {
  failures: undefined;
  /** Closes what was bound for it. */
  undo(): void;
  /** Puts it in force everywhere, then closes what it no longer wants. */
  apply(): Promise<void>;
}

/** Whoever carries the bytes: this process itself, or workers. The protocol's side decides what is carried. */
export interface Carrier {
  readonly workers: number;
  readonly sockets: ListeningSockets;
  /** All or nothing: binds every new listener of a checked table. */
  prepare(table: RouteTable): Prepared | { failures: BindFailure[] };
  /** For a start from disk: serves the table, without the listeners that cannot be bound now. */
  serve(table: RouteTable): Promise<BindFailure[]>;
  /** Whether every listener of the table is open. */
  complete(table: RouteTable): boolean;
  /** Takes a set that has been loaded once already, so that it cannot fail. */
  useCertificates(set: CertificateSet): Promise<void>;
  /** These instances are passed over while others are well. */
  setFailing(instances: ReadonlySet<string>): void;
  report(): Promise<Report>;
  /** Metrics of every route with something new since the last call. */
  takeMetrics(): Promise<RouteMetrics[]>;
  /** Replaces what can be replaced without losing a request. */
  restart(): Promise<void>;
  /** Takes no new connections; resolves when the sockets are closed everywhere. `gentle`: idle ones may stay for the drain time; their next answer ends them. */
  stopListening(gentle: boolean): Promise<void>;
  /** Lets requests in flight finish within the limits, cuts the rest, ends. */
  drain(): Promise<void>;
}
