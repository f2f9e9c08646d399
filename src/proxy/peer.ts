/** An address that has connections here. What apps are told of it is kept: most that open several ask for one host. */
export class Origin {
  connections = 0;
  private host = "";
  private secure = false;
  private facts = Buffer.alloc(0);

  constructor(readonly address: string) {}

  /** Host and what else an app is told of this client, up to the request's name. */
  factsFor(host: string, secure: boolean): Uint8Array {
    if (host === this.host && secure === this.secure) return this.facts;
    this.host = host;
    this.secure = secure;
    const { address } = this;
    const { scheme, forwarded } = saying(address, secure, host);
    this.facts = Buffer.from(
      `Host: ${host}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: ${host}\r\nX-Real-IP: ${address}\r\nForwarded: ${forwarded}\r\nX-Forwarded-For: ${address}\r\nX-Request-ID: `,
      "latin1",
    );
    return this.facts;
  }
}

/** Who is on the other end of a client connection. */
export class Peer {
  /** Version of TLS, once that is known; empty without. */
  tls = "";

  constructor(
    readonly origin: Origin,
    readonly secure: boolean,
    /** Its X-Forwarded-* are believed (settings.trusted_proxies). */
    readonly trusted: boolean,
  ) {}

  get address(): string {
    return this.origin.address;
  }
}

/** RFC 7239, and the scheme by itself. */
export function saying(
  address: string,
  secure: boolean,
  host: string,
): { scheme: string; forwarded: string } {
  const scheme = secure ? "https" : "http";
  const node = address.includes(":") ? `"[${address}]"` : address;
  return { scheme, forwarded: `for=${node};host="${host}";proto=${scheme}` };
}
