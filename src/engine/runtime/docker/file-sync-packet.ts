import type { ContextEntry } from "./context-tree.ts";
import { protobufBytes, protobufFields, protobufVarint } from "./protobuf.ts";

/** Types of a packet of BuildKit's file transfer (fsutil, wire.proto). */
export const PACKET = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** What the receiver says: which file it wants (`id` counts the entries told so far), or that it has all. */
export interface Packet {
  type: number;
  id: number;
  data: Uint8Array;
}

/** Bits of Go's os.FileMode, which the stat message carries instead of Unix's. */
const GO_MODE = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  sticky: 2 ** 20,
  file: 0,
};

export function decodePacket(bytes: Uint8Array): Packet {
  const packet: Packet = { type: PACKET.stat, id: 0, data: new Uint8Array(0) };
  for (const [field, value] of protobufFields(bytes)) {
    if (field === 1 && typeof value === "number") packet.type = value;
    else if (field === 3 && typeof value === "number") packet.id = value;
    else if (field === 4 && typeof value !== "number") packet.data = value;
  }
  return packet;
}

/** Tells one entry; without an entry: that was all. */
export function statPacket(entry?: ContextEntry): Uint8Array {
  if (!entry) return protobufVarint(1, PACKET.stat);
  return Buffer.concat([protobufVarint(1, PACKET.stat), protobufBytes(2, stat(entry))]);
}

/** A piece of a file; an empty one ends it. */
export function dataPacket(id: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([protobufVarint(1, PACKET.data), protobufVarint(3, id), protobufBytes(4, data)]);
}

export function finishPacket(): Uint8Array {
  return protobufVarint(1, PACKET.finish);
}

export function errorPacket(message: string): Uint8Array {
  return Buffer.concat([protobufVarint(1, PACKET.error), protobufBytes(4, Buffer.from(message))]);
}

// Owner and group (3, 4) stay 0: root's, as `docker build` sends them.
function stat(entry: ContextEntry): Uint8Array {
  const fields = [
    protobufBytes(1, Buffer.from(entry.path)),
    protobufVarint(2, goMode(entry)),
    protobufVarint(5, entry.size),
    protobufVarint(6, entry.mtimeNs),
  ];
  if (entry.type === "symlink") fields.push(protobufBytes(7, Buffer.from(entry.linkname)));
  return Buffer.concat(fields);
}

function goMode(entry: ContextEntry): number {
  let mode = GO_MODE[entry.type] + (entry.mode & 0o777);
  if (entry.mode & 0o4000) mode += GO_MODE.setuid;
  if (entry.mode & 0o2000) mode += GO_MODE.setgid;
  if (entry.mode & 0o1000) mode += GO_MODE.sticky;
  return mode;
}
