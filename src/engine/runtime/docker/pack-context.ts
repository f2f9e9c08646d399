import { type ContextEntry, contextFile, contextTree } from "./context-tree.ts";
import { except, ignoreRules } from "./ignore-rules.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar-header.ts";

/** A file that is in the archive but not on disk. */
export interface InjectedFile {
  path: string;
  text: string;
}

export interface ContextOptions {
  /** Dockerfile inside the context: always sent, whatever .dockerignore says. */
  dockerfile: string | null;
  /** As in BuildRequest. */
  ignore?: string[];
  inject: InjectedFile[];
}

/** The build context as a tar, made while it is read: memory stays flat whatever its size. Honours `.dockerignore`. */
export async function* packContext(root: string, options: ContextOptions): AsyncGenerator<Uint8Array> {
  const rules = await ignoreRules(root, options.dockerfile, options.ignore);
  const filter = options.dockerfile === null ? rules : except(rules, options.dockerfile);
  for await (const entry of contextTree(root, filter)) yield* packEntry(root, entry);
  for (const file of options.inject) {
    const body = Buffer.from(file.text);
    yield tarHeader({ path: file.path, type: "file", mode: 0o644, size: body.length, mtime: 0 });
    yield body;
    yield tarPadding(body.length);
  }
  yield tarEnd();
}

async function* packEntry(root: string, entry: ContextEntry): AsyncGenerator<Uint8Array> {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const linkname = entry.type === "symlink" ? entry.linkname : undefined;
  yield tarHeader({ ...entry, path, linkname, mtime: Number(entry.mtimeNs / 1_000_000_000n) });
  if (entry.type !== "file") return;
  yield* contextFile(root, entry);
  yield tarPadding(entry.size);
}
