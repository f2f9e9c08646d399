import { type ActiveHealth, HEALTH_CHECK_AGENT } from "./protocol.ts";

/** Where and how one instance is asked. */
export interface ProbedTarget {
  host: string;
  port: number;
  /** What the request says as Host. */
  name: string;
  health: ActiveHealth;
}

/** Asks an instance once. Empty: it is well; else what was wrong. Never throws, settles within its timeout. */
export async function probeTarget(target: ProbedTarget): Promise<string> {
  const { path, timeout_ms } = target.health;
  try {
    return path === null ? await probeConnection(target) : await probePath(target, path);
  } catch (error) {
    const { code, name } = error as { code?: string; name?: string };
    if (name === "TimeoutError") return `no answer within ${timeout_ms / 1000} s`;
    if (code === "ConnectionRefused" || code === "ECONNREFUSED") return "nothing listens on the port";
    return `the connection broke (${code ?? name ?? "unknown"})`;
  }
}

async function probePath({ host, port, name, health }: ProbedTarget, path: string): Promise<string> {
  const address = host.includes(":") ? `[${host}]` : host;
  const response = await fetch(`http://${address}:${port}${path}`, {
    headers: { host: name, connection: "close", "user-agent": HEALTH_CHECK_AGENT },
    redirect: "manual",
    keepalive: false,
    signal: AbortSignal.timeout(health.timeout_ms),
  });
  await response.body?.cancel();
  return response.status < 500 ? "" : `${path} answered ${response.status}`;
}

async function probeConnection({ host, port, health }: ProbedTarget): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DOMException("", "TimeoutError")), health.timeout_ms);
  const socket = Bun.connect({ hostname: host, port, socket: { data() {} } });
  // One that opens too late is of no use to anybody.
  socket.then(
    (open) => open.terminate(),
    () => {},
  );
  try {
    await Promise.race([socket, promise]);
    return "";
  } finally {
    clearTimeout(timer);
  }
}
