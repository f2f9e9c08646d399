const AUTHORITY = /^([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::(\d{0,5}))?$/;

export interface Authority {
  /** Lower case, without trailing dot; IPv6 in brackets. */
  name: string;
  /** The name with its port, if it came with one: what the app sees as Host. */
  text: string;
}

const REMEMBERED = 2048;

/** `parseAuthority` with a memory for what is asked again and again; bounded, so that strangers cannot fill it. */
export class Authorities {
  private readonly known = new Map<string, Authority>();

  get(raw: string): Authority | undefined {
    const known = this.known.get(raw);
    if (known !== undefined) return known;
    const authority = parseAuthority(raw);
    if (authority === undefined || raw.length > 300) return authority;
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(raw, authority);
    return authority;
  }
}

/**
 * Host or authority, normalised once for routing and forwarding alike (RFC 3986 section 3.2.2, RFC 9110 section 7.2).
 * `undefined`: user information, illegal characters, an empty name or a port out of range.
 */
export function parseAuthority(raw: string): Authority | undefined {
  const match = AUTHORITY.exec(raw.toLowerCase());
  if (match === null) return undefined;
  const whole = match[1]!;
  const name = whole.endsWith(".") ? whole.slice(0, -1) : whole;
  if (name === "" || name.startsWith(".") || name.includes("..") || name.length > 253) return undefined;
  const port = match[2];
  if (port === undefined || port === "") return { name, text: name };
  const number = Number(port);
  if (number < 1 || number > 65535) return undefined;
  return { name, text: `${name}:${number}` };
}
