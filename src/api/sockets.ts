import { DiploError } from "../errors.ts";

/** One WebSocket's own behaviour; Bun keeps it as the connection's data. */
export interface Socket {
  open(ws: Bun.ServerWebSocket<Socket>): void;
  message(ws: Bun.ServerWebSocket<Socket>, message: string | Buffer): void;
  close(): void;
}

/** Bun upgrades through the server that took the request; routes get no hold of it but by this. */
export class Sockets {
  readonly #servers = new WeakMap<Request, Bun.Server<Socket>>();
  readonly #upgraded = new WeakSet<Request>();

  /** Delegates to each connection's own behaviour. */
  readonly handler: Bun.WebSocketHandler<Socket> = {
    maxPayloadLength: 1024 * 1024,
    backpressureLimit: 32 * 1024 * 1024,
    // Dropped output would be a lie; a cut connection is not.
    closeOnBackpressureLimit: true,
    open: (ws) => ws.data.open(ws),
    message: (ws, message) => ws.data.message(ws, message),
    close: (ws) => ws.data.close(),
  };

  arrived(request: Request, server: Bun.Server<Socket>): void {
    this.#servers.set(request, server);
  }

  /** Throws `upgrade_required` (426) for a request that is no WebSocket handshake. The answer is a placeholder. */
  upgrade(request: Request, socket: Socket): Response {
    if (this.#servers.get(request)?.upgrade(request, { data: socket }) !== true)
      throw new DiploError("upgrade_required", "no WebSocket handshake", {
        status: 426,
        detail: "This address speaks WebSocket only.",
      });
    this.#upgraded.add(request);
    return new Response(null);
  }

  isUpgraded(request: Request): boolean {
    return this.#upgraded.has(request);
  }
}
