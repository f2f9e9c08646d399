import { lstatSync, unlinkSync } from "node:fs";
import type { Address } from "../config.ts";
import { DiploError } from "../errors.ts";
import type { Socket } from "./sockets.ts";

export type Fetch = (request: Request, server: Bun.Server<Socket>) => Promise<Response | undefined>;

const shared = (fetch: Fetch, websocket: Bun.WebSocketHandler<Socket>) => ({
  fetch,
  websocket,
  development: false,
  // Uploads are the largest; each route has a limit of its own below this one.
  maxRequestBodySize: 8 * 1024 ** 3,
  error: () => new Response(null, { status: 500 }),
});

/** Throws `port_taken`, `port_denied`, `address_unknown`: one clear line each. */
export function listenTcp(
  { host, port }: Address,
  fetch: Fetch,
  websocket: Bun.WebSocketHandler<Socket>,
): Bun.Server<Socket> {
  try {
    // reusePort would let a second daemon start beside us without an error.
    return Bun.serve({ ...shared(fetch, websocket), hostname: host, port, reusePort: false });
  } catch (error) {
    throw explain(error, `${host}:${port}`);
  }
}

/**
 * The owner's door. A stale socket of a killed daemon is removed: the caller holds the data directory's lock, so
 * nobody can be listening. Mode 0660 from the first moment on: user and group of the daemon, nobody else.
 */
export function listenUnix(
  path: string,
  fetch: Fetch,
  websocket: Bun.WebSocketHandler<Socket>,
): Bun.Server<Socket> {
  if (Buffer.byteLength(path) > 107)
    throw new DiploError(
      "socket_path_too_long",
      `${path} is longer than the 107 bytes a socket's path may have`,
      {
        hint: "Choose a shorter --data directory.",
      },
    );
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
  const before = process.umask(0o117);
  try {
    // Bun's `timeout(request, …)` has no effect on unix sockets: a deployment that is waited for would be cut. Its
    // types know no idleTimeout there, but it counts.
    const options = { ...shared(fetch, websocket), unix: path, idleTimeout: 0 };
    return Bun.serve(options as unknown as Bun.Serve.Options<Socket>);
  } catch (error) {
    throw explain(error, path);
  } finally {
    process.umask(before);
  }
}

function explain(error: unknown, where: string): unknown {
  const { code } = error as { code?: string };
  const hint = "Choose another one with --control HOST:PORT.";
  if (code === "EADDRINUSE")
    return new DiploError("port_taken", `${where} is taken by another program`, { hint, cause: error });
  if (code === "EACCES")
    return new DiploError("port_denied", `${where} may not be used by this user`, { hint, cause: error });
  if (code === "EADDRNOTAVAIL")
    return new DiploError("address_unknown", `${where} is no address of this machine`, {
      hint,
      cause: error,
    });
  return error;
}
