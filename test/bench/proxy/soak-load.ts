/** Mixed load whose every answer is compared: keep-alive and not, bodies, slow answers, TLS, WebSockets, event streams. */
export class SoakLoad {
  readonly counts = { requests: 0, messages: 0, failed: 0 };
  readonly problems = new Map<string, number>();
  private sequence = 0;
  private done = false;
  private running: Promise<void>[] = [];

  /** `onFailure` hears of each, at once. */
  constructor(
    private readonly http: number,
    private readonly https: number,
    private readonly onFailure: (what: string) => void,
  ) {}

  start(): void {
    const random = (max: number) => () => Math.floor(Math.random() * max);
    const none = () => 0;
    const each = (count: number, work: () => Promise<void>) => Array.from({ length: count }, work);
    this.running = [
      ...each(5, () => this.requests({ keepalive: true, size: none })),
      ...each(3, () => this.requests({ keepalive: false, size: none })),
      ...each(3, () => this.requests({ keepalive: true, size: random(300_000) })),
      ...each(3, () => this.requests({ keepalive: true, size: none, slowMs: 100 })),
      ...each(2, () => this.requests({ keepalive: true, size: random(5_000), tls: true })),
      ...each(1, () => this.requests({ keepalive: false, size: none, tls: true })),
      ...each(3, () => this.sockets()),
      ...each(3, () => this.streams()),
    ];
  }

  async stop(): Promise<void> {
    this.done = true;
    await Promise.all(this.running);
  }

  private fail(what: string, error: unknown): void {
    if (this.done) return;
    this.counts.failed++;
    const text = `${what}: ${error instanceof Error ? error.message : error}`;
    this.problems.set(text, (this.problems.get(text) ?? 0) + 1);
    this.onFailure(text);
  }

  private async requests(kind: {
    keepalive: boolean;
    size: () => number;
    slowMs?: number;
    tls?: boolean;
  }): Promise<void> {
    const origin = kind.tls === true ? `https://localhost:${this.https}` : `http://127.0.0.1:${this.http}`;
    while (!this.done) {
      const id = String(++this.sequence);
      const body = "x".repeat(kind.size());
      const slow = kind.slowMs === undefined ? "" : `&slow=${kind.slowMs}`;
      try {
        const response = await fetch(`${origin}/?id=${id}${slow}`, {
          method: body === "" ? "GET" : "PUT",
          body: body === "" ? undefined : body,
          keepalive: kind.keepalive,
          tls: { rejectUnauthorized: false },
        });
        const text = await response.text();
        if (response.status !== 200) this.fail("status", `${response.status} ${text.slice(0, 100)}`);
        else if (response.headers.get("x-id") !== id || text !== body) this.fail("wrong answer", id);
        this.counts.requests++;
      } catch (error) {
        this.fail(kind.tls === true ? "TLS request" : "request", error);
      }
      await Bun.sleep(2);
    }
  }

  private async sockets(): Promise<void> {
    while (!this.done) await this.socket();
  }

  /** Fifty messages there and back, then an orderly end. */
  private socket(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = new WebSocket(`ws://127.0.0.1:${this.http}/ws`);
    let expected = "";
    let sent = 0;
    const next = () => {
      if (this.done || sent++ === 50) return socket.close();
      expected = `message ${++this.sequence}`;
      socket.send(expected);
    };
    socket.onopen = next;
    socket.onmessage = ({ data }) => {
      if (data !== expected) this.fail("WebSocket", `${data} for ${expected}`);
      this.counts.messages++;
      setTimeout(next, 10);
    };
    socket.onclose = ({ code }) => {
      if (sent < 50) this.fail("WebSocket closed", code);
      resolve();
    };
    socket.onerror = () => {};
    return promise;
  }

  private async streams(): Promise<void> {
    while (!this.done) {
      try {
        const response = await fetch(`http://127.0.0.1:${this.http}/sse`, { keepalive: false });
        if ((await response.text()).match(/data: /g)?.length !== 20) this.fail("event stream", "incomplete");
        this.counts.requests++;
      } catch (error) {
        this.fail("event stream", error);
      }
    }
  }
}

/** An app for that load: echoes bodies, messages and ids, and tells twenty events. */
export function soakApp(name: string) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request, server) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/ws")
        return server.upgrade(request) ? undefined : new Response("no", { status: 400 });
      if (pathname === "/sse")
        return new Response(twentyEvents(), { headers: { "content-type": "text/event-stream" } });
      if (searchParams.has("slow")) await Bun.sleep(Number(searchParams.get("slow")));
      return new Response(await request.arrayBuffer(), {
        headers: { "x-id": searchParams.get("id") ?? "", "x-name": name },
      });
    },
    websocket: { message: (socket, message) => void socket.send(message) },
  });
}

function twentyEvents(): ReadableStream {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(20);
      controller.enqueue(`data: ${n++}\n\n`);
      if (n === 20) controller.close();
    },
  });
}
