/** The proxy strips this cookie from what it passes to apps and back: cookies ignore ports. */
export const SESSION_COOKIE = "diplo_session";

export interface CookieOptions {
  /** Set when the asker came by https. */
  secure?: boolean;
}

/** Set-Cookie of a fresh session. SameSite=Lax: a link to the dashboard from elsewhere finds its owner signed in. */
export function setSessionCookie(
  value: string,
  maxAgeS: number,
  { secure = false }: CookieOptions = {},
): string {
  return `${SESSION_COOKIE}=${value}; Max-Age=${maxAgeS}; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

/** Set-Cookie that removes it. */
export function clearSessionCookie(options: CookieOptions = {}): string {
  return setSessionCookie("", 0, options);
}

/** The session's value from a Cookie header; null without one. The first wins, as browsers send the most specific first. */
export function readSessionCookie(header: string | null): string | null {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === SESSION_COOKIE) return pair.slice(at + 1).trim() || null;
  }
  return null;
}
