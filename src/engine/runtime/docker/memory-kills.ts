import { closeSync, constants, openSync, readSync } from "node:fs";

/** The kernel hands out one record a read, never longer than this. */
const RECORD_BYTES = 8192;
/** Far more than its ring holds: a bound for a log that grows while it is read. */
const RECORD_LIMIT = 100_000;

/**
 * Ids of containers whose memory limit made the kernel kill something, as far as its log reaches back. Engines miss
 * this where they cannot watch control groups. Empty when the log may not be read (`kernel.dmesg_restrict`).
 */
export function memoryKills(path = "/dev/kmsg"): Set<string> {
  try {
    const log = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return containerIds(records(log));
    } finally {
      closeSync(log);
    }
  } catch {
    return new Set();
  }
}

/** `oom-kill:…,oom_memcg=/docker/<id>` or, with systemd, `…/docker-<id>.scope`. */
export function containerIds(records: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const record of records) {
    const id = /oom-kill:.*oom_memcg=[^,]*?([0-9a-f]{64})/.exec(record)?.[1];
    if (id) found.add(id);
  }
  return found;
}

function* records(log: number): Generator<string> {
  const buffer = Buffer.alloc(RECORD_BYTES);
  for (let count = 0; count < RECORD_LIMIT; count++) {
    try {
      const bytes = readSync(log, buffer, 0, RECORD_BYTES, null);
      if (bytes === 0) return;
      yield buffer.toString("latin1", 0, bytes);
    } catch (error) {
      // EPIPE: the next record was overwritten meanwhile, reading goes on. EAGAIN: that was all.
      if ((error as { code?: string }).code !== "EPIPE") return;
    }
  }
}
