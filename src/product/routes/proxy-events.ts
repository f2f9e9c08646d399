import { chmod, chown, rm, stat } from "node:fs/promises";
import { terse } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { ProxyEvents } from "../../proxy/protocol.ts";
import type { RequestSlots } from "../requests/request-slots.ts";

export interface ProxyEventsOptions {
  socket: string;
  /** The data plane's own directory: its group is the one that both users are in. */
  proxyDirectory: string;
  requests: Pick<RequestSlots, "count">;
  /** A request waits for a route whose app sleeps. */
  wake(routeId: string): void;
  log: Log;
}

/** The data plane's only way to speak to control: wake and metrics, nothing else. */
export class ProxyEventsServer {
  private server: Bun.Server<undefined> | null = null;

  constructor(private readonly options: ProxyEventsOptions) {}

  /** Held under the data directory's lock, so a socket that is there is stale. */
  async start(): Promise<void> {
    const { socket } = this.options;
    await rm(socket, { force: true });
    this.server = Bun.serve({
      unix: socket,
      maxRequestBodySize: 4 * 1024 * 1024,
      fetch: (request) => this.answer(request),
    });
    await this.openToProxy();
  }

  // Not through our own group: who is in that may open control.sock.
  private async openToProxy(): Promise<void> {
    const { socket, proxyDirectory } = this.options;
    const { gid } = await stat(proxyDirectory);
    await chown(socket, process.getuid!(), gid);
    await chmod(socket, 0o660);
  }

  async stop(): Promise<void> {
    await this.server?.stop(true);
  }

  private async answer(request: Request): Promise<Response> {
    if (request.method !== "POST" || new URL(request.url).pathname !== "/events")
      return new Response(null, { status: 404 });
    try {
      const { events } = (await request.json()) as ProxyEvents;
      for (const event of events) {
        if (event.type === "wake") this.options.wake(event.route);
        else this.options.requests.count(event.routes, Date.parse(event.at) || Date.now());
      }
      return new Response(null, { status: 204 });
    } catch (error) {
      this.options.log.warn("the proxy sent something unreadable", { error: terse(error) });
      return new Response(null, { status: 400 });
    }
  }
}
