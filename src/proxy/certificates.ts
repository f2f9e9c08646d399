import type { CertificateSet } from "./protocol.ts";

/** What Bun's TLS listener takes from a `serverName` handler. */
export type TlsContext = unknown;

/** The certificates in force, found by server name: exact first, then the wildcard over one label. */
export class Certificates {
  private constructor(private readonly byName: ReadonlyMap<string, TlsContext>) {}

  static readonly none = new Certificates(new Map());

  /** Loads every pair. Throws with the names of the one that does not fit together. */
  static async load(set: CertificateSet): Promise<Certificates> {
    if (set.certificates.length === 0) return Certificates.none;
    // Megabytes that a box without certificates does not need.
    const { createSecureContext } = await import("node:tls");
    const byName = new Map<string, TlsContext>();
    for (const { names, certificate_pem: cert, private_key_pem: key } of set.certificates) {
      let context: TlsContext;
      try {
        context = (createSecureContext({ cert, key }) as { context: TlsContext }).context;
      } catch (error) {
        // The library's own text may quote what it was given.
        throw new Error(
          `certificate for ${names.join(", ")} cannot be used (${(error as { code?: string }).code ?? "unreadable"})`,
        );
      }
      for (const name of names) byName.set(name.toLowerCase(), context);
    }
    return new Certificates(byName);
  }

  find(serverName: string): TlsContext | undefined {
    const name = serverName.toLowerCase();
    const dot = name.indexOf(".");
    return this.byName.get(name) ?? (dot < 0 ? undefined : this.byName.get(`*${name.slice(dot)}`));
  }
}
