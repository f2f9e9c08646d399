import { isIP } from "node:net";
import { DiploError } from "../errors.ts";

/**
 * The names this box answers to, without port. Anything else in Host is a page of a stranger whose name was pointed
 * at us (DNS rebinding), or an app's own name: both would read our answers as their own.
 */
export function controlNames({
  hostname,
  domain,
  more = [],
}: {
  hostname: string;
  domain: string;
  more?: readonly string[];
}): Set<string> {
  const short = hostname.split(".")[0] ?? hostname;
  const names = ["localhost", hostname, short, `${short}.local`, `diplo.${domain}`, domain, ...more];
  return new Set(names.map((name) => name.toLowerCase()));
}

/** Throws `unknown_host` (421) unless the Host header names this box: by an IP address or one of its names. */
export function admitHost(host: string | null, names: ReadonlySet<string>): void {
  const name = hostName(host ?? "");
  if (isIP(name) !== 0 || names.has(name)) return;
  throw new DiploError("unknown_host", "Host header is none of this box's names", {
    status: 421,
    detail: "This name does not belong to Diplo's dashboard.",
    hint: "Open it by the box's IP address or its host name.",
  });
}

function hostName(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host) ?? [];
  return (bracketed ?? plain ?? "").toLowerCase().replace(/\.$/, "");
}
