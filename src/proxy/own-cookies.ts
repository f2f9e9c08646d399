/**
 * Takes the dashboard's cookies out of a Cookie value: browsers send them to every port of the host, and an app must
 * never see them. Returns what is left, empty when nothing is.
 */
export function withoutOwnCookies(value: string, own: ReadonlySet<string>): string {
  if (!mentionsOwn(value, own)) return value;
  return value
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "" && !own.has(cookieName(pair)))
    .join("; ");
}

/** Whether a Set-Cookie value would set one of the dashboard's cookies. */
export function setsOwnCookie(value: string, own: ReadonlySet<string>): boolean {
  return mentionsOwn(value, own) && own.has(cookieName(value.split(";", 1)[0]!.trim()));
}

/** `=name=x` is stored without a name and sent back as `name=x`, so leading equal signs do not count. */
function cookieName(pair: string): string {
  const bare = pair.replace(/^[=\s]+/, "");
  const end = bare.indexOf("=");
  return (end < 0 ? bare : bare.slice(0, end)).trim();
}

function mentionsOwn(value: string, own: ReadonlySet<string>): boolean {
  for (const name of own) if (value.includes(name)) return true;
  return false;
}
