import type { Config } from "../../config.ts";
import { conflict } from "../../errors.ts";

/** Ports that browsers refuse to open (Fetch standard, "bad port", those above 1024). */
const BROWSERS_REFUSE = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
]);

/** The lowest free port of the range, proved by binding it. Never the box's own. Throws `ports_exhausted`. */
export function freePort(settings: Config, taken: ReadonlySet<number>): number {
  const own = new Set([settings.control.port, settings.http.port, settings.https.port]);
  const { first, last } = settings.appPorts;
  for (let port = first; port <= last; port++)
    if (!taken.has(port) && !own.has(port) && !BROWSERS_REFUSE.has(port) && binds(settings.http.host, port))
      return port;
  throw conflict(
    "ports_exhausted",
    `no port is free between ${first} and ${last}`,
    "Give a larger range with --app-ports.",
  );
}

function binds(hostname: string, port: number): boolean {
  try {
    Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
