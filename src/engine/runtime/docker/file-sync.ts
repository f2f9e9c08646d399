import { lstat } from "node:fs/promises";
import { join } from "node:path";
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
import { EVERYTHING } from "./ignore-rules.ts";

export const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";

/** Where BuildKit finds a directory it asks for: on disk, or a single text of ours. */
export type SyncSource = { root: string; rules: ContextFilter } | { name: string; text: string };

/**
 * BuildKit's way of reading a build context (fsutil): we tell it the tree, it asks for the files whose facts it does
 * not know from the last build, we send those. `directories` maps the names it uses: `context`, `dockerfile`.
 */
export function fileSync(directories: Record<string, SyncSource>): GrpcMethod {
  return async (call) => {
    const source = directories[call.metadata["dir-name"] ?? ""];
    if (!source) throw new Error(`no directory "${call.metadata["dir-name"]}"`);
    const files = "root" in source ? await fromDisk(source, call.metadata) : fromText(source);
    await transfer(call, files);
  };
}

interface SyncFiles {
  entries: AsyncIterable<ContextEntry> | Iterable<ContextEntry>;
  content(entry: ContextEntry): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

async function fromDisk(source: { root: string; rules: ContextFilter }, metadata: Record<string, string>) {
  const { root, rules } = source;
  const paths = metadata.followpaths?.split(", ") ?? [];
  const wanted = await followed(root, paths);
  // BuildKit repeats the rules of .dockerignore in a header, which does not hold every name: only that it has some
  // counts. While it still looks for Dockerfile and .dockerignore it has none.
  const filter = metadata["exclude-patterns"] === undefined ? wanted : both(rules, wanted);
  return { entries: contextTree(root, filter), content: (entry: ContextEntry) => contextFile(root, entry) };
}

function fromText({ name, text }: { name: string; text: string }): SyncFiles {
  const body = Buffer.from(text);
  const entry: ContextEntry = {
    path: name,
    type: "file",
    mode: 0o644,
    size: body.length,
    mtimeNs: BigInt(Date.now()) * 1_000_000n,
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

/**
 * Paths that the Dockerfile uses, and all that lies below them. Whatever is no plain path to something that is there
 * (a wildcard, a link, a name that a header cannot hold) can lead anywhere: then everything is told. Too much is
 * only slower.
 */
async function followed(root: string, paths: string[]): Promise<ContextFilter> {
  const wanted = paths.map((path) =>
    path
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .join("/"),
  );
  for (const path of wanted) if (!(await isPlain(root, path))) return EVERYTHING;
  if (wanted.length === 0) return EVERYTHING;
  const below = (path: string) => wanted.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  const above = (path: string) => wanted.some((prefix) => prefix.startsWith(`${path}/`));
  return { includes: below, enters: (path) => below(path) || above(path) };
}

async function isPlain(root: string, path: string): Promise<boolean> {
  if (path === "" || /[*?[\\]/.test(path)) return false;
  const parts = path.split("/");
  const ways = parts.map((_, index) => join(root, ...parts.slice(0, index + 1)));
  const facts = await Promise.all(ways.map((way) => lstat(way).catch(() => null)));
  // It looks for ignore files that few trees have.
  if (path.endsWith(".dockerignore")) return !facts.some((found) => found?.isSymbolicLink());
  return facts.every((found) => found !== null && !found.isSymbolicLink());
}

function both(a: ContextFilter, b: ContextFilter): ContextFilter {
  return {
    includes: (path) => a.includes(path) && b.includes(path),
    enters: (path) => a.enters(path) && b.enters(path),
  };
}
