import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoreRules } from "./ignore-rules.ts";
import { type TarEntry, tarEnd, tarHeader, tarPadding } from "./tar-header.ts";

const CHUNK_BYTES = 256 * 1024;
const O_RDONLY_NOFOLLOW = constants.O_RDONLY | constants.O_NOFOLLOW;

/** A file that is in the archive but not on disk. */
export interface InjectedFile {
  path: string;
  text: string;
}

export interface ContextOptions {
  /** Dockerfile inside the context: always sent, whatever .dockerignore says. */
  dockerfile: string | null;
  inject: InjectedFile[];
}

/**
 * The build context as a tar, made while it is read: memory stays flat whatever its size. Honours `.dockerignore`.
 * Symlinks are archived as links and never followed, so nothing from outside gets in; sockets and devices are left out.
 */
export async function* packContext(directory: string, options: ContextOptions): AsyncGenerator<Uint8Array> {
  const rules = await ignoreRules(directory, options.dockerfile);
  for await (const path of walk(directory, "", rules)) yield* packPath(directory, path);
  for (const file of options.inject) {
    const body = Buffer.from(file.text);
    yield tarHeader({ path: file.path, type: "file", mode: 0o644, size: body.length, mtime: 0 });
    yield body;
    yield tarPadding(body.length);
  }
  yield tarEnd();
}

/** Paths below `prefix` that the rules let through, parents first, in an order that is the same everywhere. */
async function* walk(
  directory: string,
  prefix: string,
  rules: Awaited<ReturnType<typeof ignoreRules>>,
): AsyncGenerator<string> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    const ignored = rules.ignores(path);
    if (!ignored) yield path;
    if (entry.isDirectory() && (!ignored || rules.reincludes)) yield* walk(directory, path, rules);
  }
}

async function* packPath(directory: string, path: string): AsyncGenerator<Uint8Array> {
  const full = join(directory, path);
  const facts = await lstat(full);
  const entry: TarEntry = { path, type: "file", mode: facts.mode, size: 0, mtime: facts.mtimeMs / 1000 };
  if (facts.isDirectory()) yield tarHeader({ ...entry, path: `${path}/`, type: "directory" });
  else if (facts.isSymbolicLink())
    yield tarHeader({ ...entry, type: "symlink", linkname: await readlink(full) });
  else if (facts.isFile()) yield* packFile(full, { ...entry, size: facts.size });
}

// The header promised `size` bytes: a file that grows meanwhile is cut, one that shrinks is filled up.
async function* packFile(full: string, entry: TarEntry): AsyncGenerator<Uint8Array> {
  yield tarHeader(entry);
  let left = entry.size;
  // O_NOFOLLOW: should the file have become a link since it was looked at, it is not opened.
  const file = await open(full, O_RDONLY_NOFOLLOW);
  try {
    while (left > 0) {
      const buffer = new Uint8Array(Math.min(left, CHUNK_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      yield bytesRead === 0 ? buffer : buffer.subarray(0, bytesRead);
      left -= bytesRead === 0 ? buffer.length : bytesRead;
    }
  } finally {
    await file.close();
  }
  yield tarPadding(entry.size);
}
