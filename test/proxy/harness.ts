import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket, TCPSocketConnectOptions, TCPSocketListener, TCPSocketListenOptions } from "bun";
import { createLog } from "../../src/log.ts";
import { DataPlane, type DataPlaneOptions } from "../../src/proxy/data-plane.ts";
import type { Applied, ProxyState, Refusal, Route, RouteTable, Target } from "../../src/proxy/protocol.ts";
import { freePort } from "../support/free-ports.ts";

export const PROBE_TOKEN = "probe-secret-1234567890";

/** Waits until `check` holds; fails after `withinMs`. */
export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > until)
      throw new Error(`not within ${withinMs} ms: ${check.toString().slice(0, 200)}`);
    await Bun.sleep(5);
  }
}

type RouteInput = Partial<Omit<Route, "targets">> & { targets?: Partial<Target>[] };

export function routeTo(ports: number | number[], more: RouteInput = {}): Route {
  const list = Array.isArray(ports) ? ports : [ports];
  const targets = more.targets ?? list.map((port) => ({ port }));
  return {
    id: "env1/web",
    app: "blog",
    environment: "production",
    process: "web",
    hosts: ["blog.test"],
    path: "/",
    strip_path: false,
    port: null,
    port_host: "127.0.0.1",
    status: "running",
    hold: { max_requests: 100, max_wait_ms: 1_000 },
    wake: false,
    max_body_bytes: 1 << 30,
    first_byte_timeout_ms: 10_000,
    ...more,
    targets: targets.map((target, i) => ({
      instance: `i${i}`,
      release: 1,
      host: "127.0.0.1",
      port: 1,
      weight: 1,
      ...target,
    })),
  };
}

/** A running data plane in a directory of its own, with one shared listener. */
export class TestPlane {
  generation = 0;

  private constructor(
    readonly plane: DataPlane,
    readonly data: string,
    readonly port: number,
    private readonly keepDirectory: boolean,
  ) {}

  static async start(
    options: Partial<DataPlaneOptions> & { data?: string; port?: number } = {},
  ): Promise<TestPlane> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), "proxy-test-")));
    const plane = await DataPlane.start({
      directory: join(data, "proxy"),
      eventsSocket: join(data, "proxy-events.sock"),
      version: "test",
      log: createLog("error"),
      ...options,
    });
    return new TestPlane(plane, data, options.port ?? freePort(), options.data !== undefined);
  }

  table(routes: Route[], more: Partial<RouteTable> = {}): RouteTable {
    return {
      version: 1,
      generation: ++this.generation,
      listeners: [{ host: "127.0.0.1", port: this.port, protocol: "http" }],
      routes,
      settings: { own_cookies: ["diplo_session"], probe_token: PROBE_TOKEN, trusted_proxies: [] },
      ...more,
    };
  }

  /** Puts a table and expects it to be taken. */
  async route(routes: Route[], more: Partial<RouteTable> = {}): Promise<Applied> {
    const response = await this.put("/routes", this.table(routes, more));
    if (response.status !== 200) throw new Error(`refused: ${JSON.stringify(response.body)}`);
    return response.body as Applied;
  }

  async put(path: string, body: unknown): Promise<{ status: number; body: Applied | Refusal }> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`http://proxy${path}`, { unix: this.socket, method: "PUT", body: text });
    return { status: response.status, body: (await response.json()) as Applied | Refusal };
  }

  async state(): Promise<ProxyState> {
    return (await (await fetch("http://proxy/state", { unix: this.socket })).json()) as ProxyState;
  }

  get socket(): string {
    return join(this.data, "proxy", "proxy.sock");
  }

  async stop(): Promise<void> {
    await this.plane.stop();
    if (!this.keepDirectory) await rm(this.data, { recursive: true, force: true });
  }
}

export interface BackendConnection {
  /** Everything received on this connection. */
  received: string;
  /** What came since the last answer. */
  pending: string;
  closed: boolean;
  ended: boolean;
  socket: Socket<BackendConnection>;
}

/** A backend that records raw bytes and answers with whatever bytes a test wants. */
export class RawBackend {
  readonly connections: BackendConnection[] = [];
  private readonly listener: TCPSocketListener<BackendConnection>;

  /** `respond` is called on every piece received; `connection.pending` holds what it has not dealt with. */
  constructor(respond: (connection: BackendConnection) => void, port = 0) {
    const options: TCPSocketListenOptions<BackendConnection> = {
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        open: (socket) => {
          socket.data = { received: "", pending: "", closed: false, ended: false, socket };
          this.connections.push(socket.data);
        },
        data: (socket, bytes) => {
          const text = bytes.toString("latin1");
          socket.data.received += text;
          socket.data.pending += text;
          respond(socket.data);
        },
        end: (socket) => {
          socket.data.ended = true;
          socket.end();
        },
        close: (socket) => {
          socket.data.closed = true;
        },
      },
    };
    this.listener = Bun.listen(options);
  }

  get port(): number {
    return this.listener.port;
  }

  get received(): string {
    return this.connections.map((connection) => connection.received).join("");
  }

  get open(): number {
    return this.connections.filter((connection) => !connection.closed).length;
  }

  stop(): void {
    this.listener.stop(true);
  }
}

/** Answers each complete head (bodies ignored) with these bytes. */
export function answering(bytes: string): (connection: BackendConnection) => void {
  return (connection) => {
    while (connection.pending.includes("\r\n\r\n")) {
      connection.pending = connection.pending.slice(connection.pending.indexOf("\r\n\r\n") + 4);
      connection.socket.write(bytes);
    }
  };
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A client that speaks bytes. */
export class RawClient {
  received = "";
  closed = false;
  ended = false;
  private constructor(readonly socket: Socket<undefined>) {}

  static async connect(port: number): Promise<RawClient> {
    let client: RawClient | undefined;
    const early: Buffer[] = [];
    const options: TCPSocketConnectOptions<undefined> = {
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        data: (_, bytes) => {
          if (client === undefined) early.push(bytes);
          else client.received += bytes.toString("latin1");
        },
        end: () => {
          if (client !== undefined) client.ended = true;
        },
        close: () => {
          if (client !== undefined) client.closed = client.ended = true;
        },
      },
    };
    const socket = await Bun.connect(options);
    client = new RawClient(socket);
    client.received = Buffer.concat(early).toString("latin1");
    return client;
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  async until(text: string | RegExp, withinMs = 5_000): Promise<string> {
    const has = () => (typeof text === "string" ? this.received.includes(text) : text.test(this.received));
    const end = performance.now() + withinMs;
    while (!has()) {
      if (performance.now() > end || (this.closed && !has()))
        throw new Error(
          `no ${text} in ${JSON.stringify(this.received.slice(0, 2_000))}${this.closed ? " (closed)" : ""}`,
        );
      await Bun.sleep(2);
    }
    return this.received;
  }

  async untilEnd(withinMs = 5_000): Promise<string> {
    await eventually(() => this.ended, withinMs);
    return this.received;
  }

  close(): void {
    this.socket.end();
  }
}

/** Sends bytes on a fresh connection and returns all that comes back until the proxy ends it. */
export async function exchange(port: number, text: string, withinMs = 5_000): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(text);
  const answer = await client.untilEnd(withinMs);
  client.close();
  return answer;
}
