import type { Address, Config } from "../../config.ts";
import type { ProxyState } from "../../proxy/protocol.ts";
import { urlHost } from "../system/url-host.ts";
import type { DoctorCheck } from "./check.ts";
import { fault, warning, well } from "./check.ts";

interface Generation {
  generation: number;
  acked: boolean;
  error: string | null;
}

/** Whether the data plane is there and serves what control wants. `state` null = it does not answer. */
export function checkProxy(
  state: ProxyState | null,
  wanted: Generation | null,
  settings: Config,
): DoctorCheck {
  if (!state)
    return fault(
      "proxy",
      "The proxy does not answer, so no app can be reached.",
      settings.proxyManaged
        ? "systemctl restart diplo-proxy; journalctl -u diplo-proxy tells more"
        : "Restart Diplo; its log tells more.",
    );
  if (wanted?.error && !wanted.acked)
    return fault(
      "proxy",
      `The newest routes were refused: ${wanted.error}`,
      "Free the port it names, or choose another with --app-ports.",
    );
  if (wanted && state.generation < wanted.generation)
    return warning(
      "proxy",
      `The proxy serves generation ${state.generation}, but ${wanted.generation} is wanted.`,
      "This mends itself within seconds; if it stays, look into the log.",
    );
  const own = state.diplo_version === settings.version ? "" : `, still version ${state.diplo_version}`;
  return well(
    "proxy",
    `pid ${state.pid}, generation ${state.generation}, ${state.connections} connections${own}`,
  );
}

/** What answers at an address: ours, somebody else, or nobody. */
export type Answer = "ours" | "other" | "nobody";

/** Whether requests to the shared listener reach our proxy and not another server. */
export function checkListener(name: string, { host, port }: Address, answer: Answer): DoctorCheck {
  if (answer === "ours") return well(name, `port ${port} is ours`);
  const where = `${host}:${port}`;
  if (answer === "nobody")
    return fault(
      name,
      `Nothing answers at ${where}.`,
      `Low ports need root or the capability to bind them; another port: --${name} 0.0.0.0:8081`,
    );
  return fault(
    name,
    `Another program answers at ${where}.`,
    `Stop it (ss -ltnp 'sport = :${port}' names it), or give Diplo another port: --${name}`,
  );
}

/** Asks an address as an unknown host: our proxy says so in a header of its own (capabilities I1). */
export async function askListener({ host, port }: Address): Promise<Answer> {
  const address = urlHost(host, host === "::" ? "[::1]" : "127.0.0.1");
  try {
    const response = await fetch(`http://${address}:${port}/`, {
      headers: { host: "doctor.invalid", connection: "close" },
      redirect: "manual",
      signal: AbortSignal.timeout(3_000),
    });
    await response.body?.cancel();
    return response.headers.has("x-diplo-error") ? "ours" : "other";
  } catch (error) {
    return /^(ECONNREFUSED|ConnectionRefused)$/.test((error as { code?: string }).code ?? "")
      ? "nobody"
      : "other";
  }
}

/** Whether new apps still find a port. */
export function checkAppPorts({ first, last }: Config["appPorts"], used: number): DoctorCheck {
  const all = last - first + 1;
  const detail = `${used} of ${all} app ports (${first}-${last}) are taken`;
  if (used >= all) return fault("app ports", detail, "Give a larger range with --app-ports.");
  return used > all * 0.9
    ? warning("app ports", detail, "Give a larger range with --app-ports.")
    : well("app ports", detail);
}
