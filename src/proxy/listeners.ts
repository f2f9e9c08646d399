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

/** The sockets that a table wants listened on. Changing from one table to the next keeps what both want. */
export class Listeners {
  private readonly open = new Map<string, { wanted: Wanted; listener: TCPSocketListener<Connection> }>();

  constructor(
    private readonly engine: Engine,
    private readonly certificates: () => Certificates,
  ) {}

  /**
   * Binds what is new. On any failure everything new is closed again and nothing has changed. On success the caller
   * gets a function that closes what the table no longer wants, to be called when the table is in force.
   */
  bind(
    table: RouteTable,
  ): { failures: BindFailure[] } | { failures: undefined; undo: () => void; closeOld: () => void } {
    const wanted = new Map(wantedBy(table).map((one) => [keyOf(one), one]));
    const fresh: string[] = [];
    const displaced: Wanted[] = [];
    const failures: BindFailure[] = [];
    const undo = () => {
      for (const key of fresh) this.close(key);
      for (const old of displaced) this.listen(keyOf(old), old);
    };
    for (const [key, one] of wanted) {
      if (this.open.has(key)) continue;
      displaced.push(...this.makeRoom(one.port, wanted));
      const error = this.listen(key, one);
      if (error === undefined) fresh.push(key);
      else failures.push({ host: one.host, port: one.port, error });
    }
    if (failures.length > 0) {
      undo();
      return { failures };
    }
    const closeOld = () => {
      for (const key of [...this.open.keys()]) if (!wanted.has(key)) this.close(key);
    };
    return { failures: undefined, undo, closeOld };
  }

  /** For a start from disk: listens where it can, and tells where it cannot. */
  bindWhatIsFree(table: RouteTable): BindFailure[] {
    const failures: BindFailure[] = [];
    for (const one of wantedBy(table)) {
      const error = this.listen(keyOf(one), one);
      if (error !== undefined) failures.push({ host: one.host, port: one.port, error });
    }
    return failures;
  }

  /** Takes over a listening socket that was opened elsewhere. */
  adopt(wanted: Wanted, fd: number): void {
    this.listen(keyOf(wanted), wanted, fd);
  }

  closeUnwanted(table: RouteTable): void {
    const wanted = new Set(wantedBy(table).map(keyOf));
    for (const key of [...this.open.keys()]) if (!wanted.has(key)) this.close(key);
  }

  /** Whether every listener of the table is open. */
  complete(table: RouteTable): boolean {
    return wantedBy(table).every((one) => this.open.has(keyOf(one)));
  }

  stop(): void {
    for (const key of [...this.open.keys()]) this.close(key);
  }

  private listen(key: string, wanted: Wanted, fd?: number): string | undefined {
    const door: Door = { appPort: wanted.appPort, secure: wanted.protocol === "https" };
    const options = {
      hostname: wanted.host,
      port: wanted.port,
      ...(fd === undefined ? {} : { fd }),
      allowHalfOpen: true,
      socket: this.handlers(door),
      ...(door.secure ? { tls: TLS } : {}),
    };
    try {
      this.open.set(key, { wanted, listener: Bun.listen<Connection>(options) });
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }

  /** Closes our own listeners on a port that moves to another address: the kernel would refuse both at once. */
  private makeRoom(port: number, wanted: ReadonlyMap<string, Wanted>): Wanted[] {
    const inTheWay = [...this.open.entries()].filter(
      ([key, open]) => open.wanted.port === port && !wanted.has(key),
    );
    for (const [key] of inTheWay) this.close(key);
    return inTheWay.map(([, open]) => open.wanted);
  }

  private close(key: string): void {
    this.open.get(key)?.listener.stop();
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
      handshake: (socket) => socket.data?.handshaken(socket.getServername()),
      ...(door.secure
        ? { serverName: (_: unknown, name: string) => this.certificates().find(name) ?? UNKNOWN_NAME }
        : {}),
    };
  }
}

/** Without any field Bun would take this for no TLS at all. The wire format of ALPN: each name after its length. */
const TLS = { ALPNProtocols: Buffer.from("\x08http/1.1") };
const UNKNOWN_NAME = new Error("no certificate for this name");

/** At a limit the newest is shed: an answer, and closed. Bun's listeners spin when descriptors run out, so never that. */
function admit(engine: Engine, socket: Socket<Connection>, door: Door): void {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  if (!engine.admit(address)) {
    socket.data = undefined;
    if (!door.secure) socket.write(BUSY, 0, BUSY.length);
    socket.end();
    return;
  }
  const connection = new ClientConnection(engine, socket, door, address);
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
