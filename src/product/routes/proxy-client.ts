import { DiploError, terse } from "../../errors.ts";
import type { Applied, ProxyState, Refusal, RouteTable } from "../../proxy/protocol.ts";

const DEADLINE_MS = 10_000;

/** Talks to the data plane over proxy.sock. Every call settles within 10 seconds. */
export class ProxyClient {
  constructor(private readonly socket: string) {}

  /** Throws `proxy_refused` (the table is bad or a port is taken) or `proxy_down` (worth retrying). */
  async putRoutes(table: RouteTable): Promise<Applied> {
    const response = await this.ask("/routes", { method: "PUT", body: JSON.stringify(table) });
    if (response.ok) return (await response.json()) as Applied;
    throw refused((await response.json()) as Refusal);
  }

  async state(): Promise<ProxyState> {
    const response = await this.ask("/state", { method: "GET" });
    return (await response.json()) as ProxyState;
  }

  async stop(): Promise<void> {
    await this.ask("/stop", { method: "POST" });
  }

  private async ask(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`http://proxy${path}`, {
        ...init,
        unix: this.socket,
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
    } catch (cause) {
      throw new DiploError("proxy_down", `the proxy does not answer: ${terse(cause)}`, {
        status: 503,
        detail: "The proxy does not answer.",
        hint: "It is started again by itself; see: diplo doctor",
        cause,
      });
    }
  }
}

function refused(refusal: Refusal): DiploError {
  const ports =
    refusal.listeners?.map((listener) => `${listener.host}:${listener.port} ${listener.error}`) ?? [];
  return new DiploError("proxy_refused", `the proxy refused the routes: ${refusal.code} ${refusal.message}`, {
    status: 503,
    detail:
      refusal.code === "bind_failed"
        ? `A port that an app needs is taken: ${ports.join(", ")}`
        : `The proxy refused the new routes: ${refusal.message}`,
    evidence: ports,
  });
}
