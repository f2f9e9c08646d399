import type { Socket, SocketHandler, TCPSocketListener } from "bun";
import type { Certificates } from "./certificates.ts";
import { ClientConnection, type Door } from "./client-connection.ts";
import type { Engine } from "./engine.ts";
import { renderLocalAnswer } from "./local-answer.ts";
import type { RouteTable } from "./protocol.ts";

type Connection = ClientConnection | undefined;

export interface Wanted {
  host: string;
  port: number;
  protocol: "http" | "https";
  appPort: number | undefined;
}

export interface BindFailure {
  host: string;
  port: number;
  error: string;
}

const BUSY = renderLocalAnswer({ code: "overloaded", accept: "", headOnly: false, close: true }).bytes;

/** Takes connections from listening sockets that were opened elsewhere. */
export class Listeners {
  private readonly open = new Map<string, TCPSocketListener<Connection>>();

  constructor(
    private readonly engine: Engine,
    private readonly certificates: () => Certificates,
  ) {}

  /** Listens on a socket, which belongs to this listener from now on. */
  adopt(wanted: Wanted, fd: number): void {
    const door: Door = { appPort: wanted.appPort, secure: wanted.protocol === "https" };
    const options = {
      hostname: wanted.host,
      port: wanted.port,
      fd,
      allowHalfOpen: true,
      socket: this.handlers(door),
      ...(door.secure ? { tls: TLS } : {}),
    };
    this.open.set(keyOf(wanted), Bun.listen<Connection>(options));
  }

  closeUnwanted(table: RouteTable): void {
    const wanted = new Set(wantedBy(table).map(keyOf));
    for (const key of [...this.open.keys()]) if (!wanted.has(key)) this.close(key);
  }

  stop(): void {
    for (const key of [...this.open.keys()]) this.close(key);
  }

  private close(key: string): void {
    this.open.get(key)?.stop();
    this.open.delete(key);
  }

  private handlers(door: Door): SocketHandler<Connection> {
    const { engine } = this;
    return {
      open: (socket) => admit(engine, socket, door),
      data: (socket, bytes) => socket.data?.received(bytes),
      end: (socket) => socket.data?.ended(),
      close: (socket) => socket.data?.closed(),
      drain: (socket) => socket.data?.drained(),
      error: (socket, error) => {
        engine.log.debug("client connection failed", { error });
        socket.data?.close();
      },
      handshake: (socket) => socket.data?.handshaken(socket.getServername(), socket.getTLSVersion()),
      ...(door.secure
        ? { serverName: (_: unknown, name: string) => this.certificates().find(name) ?? UNKNOWN_NAME }
        : {}),
    };
  }
}

/** Without any field Bun would take this for no TLS at all. The wire format of ALPN: each name after its length. */
const TLS = { ALPNProtocols: Buffer.from("\x08http/1.1") };
const UNKNOWN_NAME = new Error("no certificate for this name");

/** An IPv4 client on an IPv6 socket (RFC 4291 section 2.5.5.2). */
const MAPPED = "::ffff:";

/** At a limit the newest is shed: an answer, and closed. Bun's listeners spin when descriptors run out, so never that. */
function admit(engine: Engine, socket: Socket<Connection>, door: Door): void {
  const address = socket.remoteAddress ?? "";
  const mapped = address.startsWith(MAPPED) && address.includes(".");
  const origin = engine.admit(mapped ? address.slice(MAPPED.length) : address);
  if (origin === undefined) {
    socket.data = undefined;
    if (!door.secure) socket.write(BUSY, 0, BUSY.length);
    socket.end();
    return;
  }
  const connection = new ClientConnection(engine, socket, door, origin);
  socket.data = connection;
  engine.clients.add(connection);
}

export function wantedBy(table: RouteTable): Wanted[] {
  const shared = table.listeners.map(({ host, port, protocol }) => ({
    host,
    port,
    protocol,
    appPort: undefined,
  }));
  const own = table.routes.flatMap(({ port, port_host: host }) =>
    port === null ? [] : [{ host, port, protocol: "http" as const, appPort: port }],
  );
  return [...shared, ...own];
}

export function keyOf({ host, port, protocol, appPort }: Wanted): string {
  return `${protocol} ${host} ${port} ${appPort === undefined ? "shared" : "app"}`;
}
