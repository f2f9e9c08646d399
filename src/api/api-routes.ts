import type { Operation } from "../operation.ts";
import type { HandRoute } from "../route.ts";
import { appLogRoute } from "./app-log.ts";
import { eventFeedRoute } from "./event-feed.ts";
import { healthRoutes } from "./health.ts";
import { jobStreamRoutes } from "./job-streams.ts";
import { openApiRoute } from "./openapi.ts";
import { runCommandRoute } from "./run-command.ts";
import { runSocketRoute } from "./run-socket.ts";
import { signInRoutes } from "./sign-in.ts";
import type { Sockets } from "./sockets.ts";
import { uploadRoute } from "./upload.ts";

export interface ApiRoutesOptions {
  operations: readonly Operation[];
  sockets: Sockets;
  /** Aborted when the daemon stops: streams end. */
  stopping: AbortSignal;
}

/** The API outside the table of operations: what is no JSON in and JSON out. */
export function apiRoutes({ operations, sockets, stopping }: ApiRoutesOptions): HandRoute[] {
  const routes = [
    ...healthRoutes(),
    ...signInRoutes(),
    ...jobStreamRoutes(stopping),
    appLogRoute(stopping),
    eventFeedRoute(stopping),
    uploadRoute(),
    runCommandRoute(stopping),
    runSocketRoute(sockets, stopping),
  ];
  return [...routes, openApiRoute(operations, routes)];
}
