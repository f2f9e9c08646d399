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
    const facts: Fact[] = [...factsOf(this.address, secure, host), ["X-Forwarded-For", this.address]];
    this.facts = Buffer.from(`Host: ${host}\r\n${linesOf(facts)}X-Request-ID: `, "latin1");
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

export type Fact = [name: string, value: string];

export function factsOf(address: string, secure: boolean, host: string): Fact[] {
  const scheme = secure ? "https" : "http";
  const node = address.includes(":") ? `"[${address}]"` : address;
  return [
    ["X-Forwarded-Proto", scheme],
    ["X-Forwarded-Host", host],
    ["X-Real-IP", address],
    ["Forwarded", `for=${node};host="${host}";proto=${scheme}`],
  ];
}

export function linesOf(facts: Fact[]): string {
  return facts.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
