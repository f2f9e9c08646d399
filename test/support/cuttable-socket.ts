import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A unix socket in front of the engine's own, which can be cut and mended: an engine that stops midway. */
export class CuttableSocket {
  private server: Server | null = null;
  private readonly open = new Set<Socket>();

  constructor(
    readonly path: string,
    private readonly engine = "/var/run/docker.sock",
  ) {}

  async mend(): Promise<void> {
    this.server = createServer({ allowHalfOpen: true }, (client) => {
      const upstream = connect({ path: this.engine, allowHalfOpen: true });
      for (const socket of [client, upstream]) {
        this.open.add(socket);
        socket.on("close", () => this.open.delete(socket));
        socket.on("error", () => socket.destroy());
      }
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => this.server?.listen(this.path, resolve));
  }

  async cut(): Promise<void> {
    const server = this.server;
    this.server = null;
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    for (const socket of this.open) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }
}
