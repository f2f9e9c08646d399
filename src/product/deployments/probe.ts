import { connect } from "node:net";
import type { Endpoint } from "../../engine/runtime/container-runtime.ts";
import { HEALTH_CHECK_AGENT } from "../../proxy/protocol.ts";
import type { Health } from "../environments/settings.ts";

export interface ProbeResult {
  healthy: boolean;
  /** Why not: nothing took the connection, no answer in time, or an answer of 500 and above. */
  kind: "ok" | "refused" | "timeout" | "status" | "broken";
  status: number | null;
  message: string;
  durationMs: number;
}

/** Asks an instance once how it is. Never throws. */
export async function probe(endpoint: Endpoint, health: Health, host: string): Promise<ProbeResult> {
  const begun = performance.now();
  const done = (result: Omit<ProbeResult, "durationMs">): ProbeResult => ({
    ...result,
    durationMs: performance.now() - begun,
  });
  if (health.type === "none")
    return done({ healthy: true, kind: "ok", status: null, message: "not checked" });
  if (health.type === "tcp") return done(await probeTcp(endpoint, health.timeout_s * 1000));
  return done(await probeHttp(endpoint, health, host));
}

async function probeHttp(
  endpoint: Endpoint,
  health: Health,
  host: string,
): Promise<Omit<ProbeResult, "durationMs">> {
  try {
    const response = await fetch(`http://${endpoint.host}:${endpoint.port}${health.path}`, {
      headers: { host, connection: "close", "user-agent": HEALTH_CHECK_AGENT },
      redirect: "manual",
      keepalive: false,
      signal: AbortSignal.timeout(health.timeout_s * 1000),
    });
    await response.body?.cancel();
    const healthy = response.status < 500;
    return {
      healthy,
      kind: healthy ? "ok" : "status",
      status: response.status,
      message: `${health.path} answered ${response.status}`,
    };
  } catch (error) {
    return failure(error, health.timeout_s);
  }
}

function failure(error: unknown, timeout_s: number): Omit<ProbeResult, "durationMs"> {
  const { code, name } = error as { code?: string; name?: string };
  if (name === "TimeoutError")
    return { healthy: false, kind: "timeout", status: null, message: `no answer within ${timeout_s} s` };
  if (code === "ConnectionRefused" || code === "ECONNREFUSED")
    return { healthy: false, kind: "refused", status: null, message: "nothing listens on the port" };
  return {
    healthy: false,
    kind: "broken",
    status: null,
    message: `the connection broke (${code ?? name ?? "unknown"})`,
  };
}

function probeTcp({ host, port }: Endpoint, timeoutMs: number): Promise<Omit<ProbeResult, "durationMs">> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const settle = (result: Omit<ProbeResult, "durationMs">) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () =>
      settle({ healthy: true, kind: "ok", status: null, message: "takes connections" }),
    );
    socket.once("timeout", () =>
      settle({ healthy: false, kind: "timeout", status: null, message: "no connection in time" }),
    );
    socket.once("error", (error) => settle(failure(error, timeoutMs / 1000)));
  });
}
