import type { Report } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import type { Wanted } from "./listeners.ts";
import type { CertificateSet, RouteMetrics, RouteTable } from "./protocol.ts";

/** What the parent says to a worker. Descriptors of `open` have been sent through the channel before, in its order. */
export type ToWorker =
  | { type: "start"; limits: Limits; directory: string }
  | { type: "apply"; id: number; table: RouteTable; open: Wanted[] }
  /** Listen on these too, for the table in force. */
  | { type: "listen"; id: number; open: Wanted[] }
  | { type: "certificates"; id: number; set: CertificateSet }
  /** Instances that fail their active health check. */
  | { type: "failing"; instances: string[] }
  | { type: "report"; id: number }
  | { type: "metrics"; id: number }
  /** Done when it listens no more. `gentle`: idle connections may stay for the drain time; their next answer ends them. */
  | { type: "drain"; id: number; gentle: boolean };

export type FromWorker =
  | { type: "done"; id: number; report?: Report; metrics?: RouteMetrics[] }
  | { type: "wake"; route: string }
  /** The last ones of a worker that ends. */
  | { type: "last_metrics"; metrics: RouteMetrics[] };

/** Where a worker finds the channel for descriptors. */
export const CHANNEL_FD = 3;
