export interface ListeningPort {
  address: string;
  port: number;
}

/** State column of a listening socket. */
const LISTEN = "0A";
/** The engine's resolver listens inside every container, on a port of its own choosing. */
const ENGINE_RESOLVER = "127.0.0.11";

/** Listening sockets of /proc/net/tcp and tcp6 (proc(5)): words of the address in host byte order, port in hexadecimal. */
export function parseSocketTable(table: string): ListeningPort[] {
  const found = new Map<string, ListeningPort>();
  for (const line of table.split("\n")) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(local);
    if (!match || state !== LISTEN) continue;
    const entry = {
      address: decodeAddress(match[1] as string),
      port: Number.parseInt(match[2] as string, 16),
    };
    if (entry.address !== ENGINE_RESOLVER) found.set(local, entry);
  }
  return [...found.values()].sort((a, b) => a.port - b.port);
}

function decodeAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => {
    return ((bytes[index * 2] as number) * 256 + (bytes[index * 2 + 1] as number)).toString(16);
  });
  // The one IPv6 spelling rule that matters for reading it: the longest run of zeros is "::" (RFC 5952).
  return groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
}
