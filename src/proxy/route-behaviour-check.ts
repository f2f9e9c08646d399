import { boolean, fail, integer, matching, object, oneOf } from "./checks.ts";
import type { ActiveHealth, Balance, Redirect, Route } from "./protocol.ts";

const BALANCES: Balance[] = ["round_robin", "least_connections", "random", "ip_hash"];
const CODES: Redirect["code"][] = [301, 302, 303, 307, 308];
/** Visible ASCII, without query and fragment: it becomes a Location as it is. */
const REDIRECT_TO = /^https?:\/\/[a-z0-9._[\]:-]{1,300}(?:\/[!$-;=@-~]*)?$/i;
const PROBE_PATH = /^\/[!-~]*$/;
const MAX_MS = 3_600_000;

type Behaviour = Pick<Route, "balance" | "sticky" | "redirect" | "health">;

/** What a route may ask for beyond where it leads. Throws Invalid with the place of the first fault. */
export function checkBehaviour(route: Record<string, unknown>, at: string): Behaviour {
  return {
    balance: oneOf(route.balance ?? "round_robin", BALANCES, `${at}.balance`),
    sticky: boolean(route.sticky ?? false, `${at}.sticky`),
    ...(route.redirect === undefined ? {} : { redirect: checkRedirect(route.redirect, `${at}.redirect`) }),
    ...(route.health === undefined ? {} : { health: checkHealth(route.health, `${at}.health`) }),
  };
}

function checkRedirect(value: unknown, at: string): Redirect {
  const redirect = object(value, at);
  return {
    to: matching(redirect.to, REDIRECT_TO, `${at}.to`),
    code:
      CODES.find((code) => code === redirect.code) ?? fail(`${at}.code`, `not one of ${CODES.join(", ")}`),
  };
}

function checkHealth(value: unknown, at: string): ActiveHealth {
  const health = object(value, at);
  return {
    path: health.path === null ? null : matching(health.path, PROBE_PATH, `${at}.path`),
    interval_ms: integer(health.interval_ms, `${at}.interval_ms`, 100, MAX_MS),
    timeout_ms: integer(health.timeout_ms, `${at}.timeout_ms`, 10, MAX_MS),
    unhealthy_after: integer(health.unhealthy_after, `${at}.unhealthy_after`, 1, 100),
  };
}
