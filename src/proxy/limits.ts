import { readFileSync } from "node:fs";

/** What one process of the data plane allows (capabilities I1). Bytes, counts and milliseconds. */
export interface Limits {
  /** Request line and header fields together. */
  headerBytes: number;
  headerCount: number;
  /** The request target (URI). */
  targetBytes: number;
  /** From the first byte of a request to the end of its head (slowloris). */
  headTimeoutMs: number;
  /** An open client connection without a request. */
  keepAliveIdleMs: number;
  /** Between two pieces of a request body. */
  bodyIdleMs: number;
  /** Between two pieces of an answer; long, because event streams may be silent. */
  responseIdleMs: number;
  /** A client that takes no byte of an answer. */
  sendStallMs: number;
  /** An upgraded connection without a byte either way. */
  tunnelIdleMs: number;
  connectTimeoutMs: number;
  /** A target that refused a connection is passed over this long when others exist. */
  skipMs: number;
  /** How often a held request tries again. */
  holdRetryMs: number;
  poolIdleMs: number;
  poolMaxIdlePerTarget: number;
  /** Bytes waiting for one socket before its source is paused. */
  bufferBytes: number;
  /** Answers of static releases kept in memory, all together. */
  siteCacheBytes: number;
  /** A larger file of a static release is read from disk each time. */
  siteFileBytes: number;
  /** A line of an access log is on disk after this, if nothing is wrong. */
  accessLogFlushMs: number;
  /** Client connections of the process; 0 = as the descriptor limit allows. */
  connections: number;
  connectionsPerAddress: number;
  /** How long a stop waits for requests in flight. */
  drainMs: number;
  /** How long a closing connection reads on, so that the answer is not lost to a reset (RFC 9112 section 9.6). */
  lingerMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  headerBytes: 32 * 1024,
  headerCount: 100,
  targetBytes: 8 * 1024,
  headTimeoutMs: 15_000,
  keepAliveIdleMs: 75_000,
  bodyIdleMs: 60_000,
  responseIdleMs: 3_600_000,
  sendStallMs: 120_000,
  tunnelIdleMs: 3_600_000,
  connectTimeoutMs: 5_000,
  skipMs: 1_000,
  holdRetryMs: 100,
  poolIdleMs: 90_000,
  poolMaxIdlePerTarget: 32,
  bufferBytes: 64 * 1024,
  siteCacheBytes: 16 * 1024 * 1024,
  siteFileBytes: 256 * 1024,
  accessLogFlushMs: 1_000,
  connections: 0,
  connectionsPerAddress: 4096,
  drainMs: 30_000,
  lingerMs: 2_000,
};

/** Descriptors kept back for listeners, files, the sockets to control and idle connections to apps. */
const RESERVED_DESCRIPTORS = 256;

/**
 * Fills `connections` from the descriptor limit: every client may need a second descriptor for its app, as many may
 * rest in pools, and at EMFILE Bun's listeners spin, so the process stays well below the limit.
 */
export function completeLimits(own: Partial<Limits>, descriptors = descriptorLimit()): Limits {
  const limits = { ...DEFAULT_LIMITS, ...own };
  const room = Math.max(16, Math.floor((descriptors - RESERVED_DESCRIPTORS) / 3));
  limits.connections = limits.connections > 0 ? Math.min(limits.connections, room) : room;
  return limits;
}

function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft ? Math.min(Number(soft), 200_000) : 1024;
  } catch {
    return 1024;
  }
}
