import { type ContextEntry, type ContextFilter, contextFile, contextTree } from "./context-tree.ts";
import {
  dataPacket,
  decodePacket,
  errorPacket,
  finishPacket,
  PACKET,
  type Packet,
  statPacket,
} from "./file-sync-packet.ts";
import type { GrpcCall, GrpcMethod } from "./grpc.ts";
import { ignorePatterns } from "./ignore-rules.ts";

export const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";

/** Where BuildKit finds a directory it asks for: on disk, or a single text of ours. */
export type SyncSource = { root: string } | { name: string; text: string };

/**
 * BuildKit's way of reading a build context (fsutil): we tell it the tree, it asks for the files whose facts it does
 * not know from the last build, we send those. `directories` maps the names it uses: `context`, `dockerfile`.
 */
export function fileSync(directories: Record<string, SyncSource>): GrpcMethod {
  return async (call) => {
    const source = directories[call.metadata["dir-name"] ?? ""];
    if (!source) throw new Error(`no directory "${call.metadata["dir-name"]}"`);
    const files = "root" in source ? await fromDisk(source.root, call.metadata) : fromText(source);
    await transfer(call, files);
  };
}

interface SyncFiles {
  entries: AsyncIterable<ContextEntry> | Iterable<ContextEntry>;
  content(entry: ContextEntry): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

async function fromDisk(root: string, metadata: Record<string, string>): Promise<SyncFiles> {
  const filter = both(
    await ignorePatterns(patterns(metadata, "exclude-patterns")),
    followed(patterns(metadata, "followpaths")),
  );
  return { entries: contextTree(root, filter), content: (entry) => contextFile(root, entry) };
}

function fromText({ name, text }: { name: string; text: string }): SyncFiles {
  const body = Buffer.from(text);
  const entry: ContextEntry = {
    path: name,
    type: "file",
    mode: 0o644,
    size: body.length,
    mtimeMs: Date.now(),
    linkname: "",
  };
  return { entries: [entry], content: () => [body] };
}

async function transfer(call: GrpcCall, files: SyncFiles): Promise<void> {
  const told = new Map<number, ContextEntry>();
  const telling = tell(call, files, told).catch((error) => call.send(errorPacket(String(error))));
  // Should the engine leave meanwhile, the loop below ends with the same error.
  telling.catch(() => {});
  for await (const message of call.messages) {
    const packet = decodePacket(message);
    if (packet.type === PACKET.finish) break;
    if (packet.type === PACKET.request) await deliver(call, files, told, packet);
  }
  await telling;
  await call.send(finishPacket());
}

async function tell(call: GrpcCall, files: SyncFiles, told: Map<number, ContextEntry>): Promise<void> {
  let id = 0;
  for await (const entry of files.entries) {
    if (entry.type === "file") told.set(id, entry);
    id++;
    await call.send(statPacket(entry));
  }
  await call.send(statPacket());
}

async function deliver(call: GrpcCall, files: SyncFiles, told: Map<number, ContextEntry>, { id }: Packet) {
  const entry = told.get(id);
  if (!entry) throw new Error(`file ${id} was never told`);
  for await (const piece of files.content(entry)) await call.send(dataPacket(id, piece));
  await call.send(dataPacket(id, new Uint8Array(0)));
}

function patterns(metadata: Record<string, string>, key: string): string[] {
  const listed = metadata[key]?.split(", ") ?? [];
  // Newer engines escape what a header cannot hold, as Go's url.QueryEscape does.
  return metadata[`${key}-encoded`]
    ? listed.map((text) => decodeURIComponent(text.replaceAll("+", " ")))
    : listed;
}

/**
 * Paths that the Dockerfile uses, and all that lies below them. Generous on purpose: a pattern counts up to its
 * first wildcard, for sending too much is only slower.
 */
function followed(paths: string[]): ContextFilter {
  const prefixes = paths.map(fixedPart);
  if (prefixes.length === 0 || prefixes.includes("")) return { includes: () => true, enters: () => true };
  const below = (path: string) => prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  const above = (path: string) => prefixes.some((prefix) => prefix.startsWith(`${path}/`));
  return { includes: below, enters: (path) => below(path) || above(path) };
}

function fixedPart(pattern: string): string {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  return (wild < 0 ? parts : parts.slice(0, wild)).join("/");
}

function both(a: ContextFilter, b: ContextFilter): ContextFilter {
  return {
    includes: (path) => a.includes(path) && b.includes(path),
    enters: (path) => a.enters(path) && b.enters(path),
  };
}
