import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { type IgnoreRules, readIgnoreRules } from "./ignore-rules.ts";

/** Times, owners and orders of the machine it comes from say nothing: the same files are the same bytes. */
const SAME_EVERYWHERE = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };

/**
 * A directory as a tar stream for `diplo deploy DIR`: what .gitignore and .dockerignore leave out stays behind, and
 * so do `.git`, `node_modules`, sockets and links that lead out.
 */
export function packDirectory(directory: string): ReadableStream<Uint8Array> {
  const archive = pack();
  const work = async () => {
    await packEntries(archive, directory, "", await readIgnoreRules(directory));
    archive.finalize();
  };
  work().catch((error) => archive.destroy(error as Error));
  return Readable.toWeb(archive) as unknown as ReadableStream<Uint8Array>;
}

async function packEntries(archive: Pack, root: string, inside: string, rules: IgnoreRules): Promise<void> {
  for (const name of (await readdir(join(root, inside))).sort()) {
    const path = inside === "" ? name : `${inside}/${name}`;
    const facts = await lstat(join(root, path));
    if (rules.ignores(path, facts.isDirectory())) continue;
    if (facts.isDirectory()) await packEntries(archive, root, path, await rules.enter(path));
    else if (facts.isSymbolicLink()) await packLink(archive, root, path);
    else if (facts.isFile()) await packFile(archive, root, path, facts.size, (facts.mode & 0o100) !== 0);
  }
}

async function packFile(
  archive: Pack,
  root: string,
  path: string,
  size: number,
  executable: boolean,
): Promise<void> {
  const entry = archive.entry({ ...SAME_EVERYWHERE, name: path, size, mode: executable ? 0o755 : 0o644 });
  // A file that grows meanwhile is sent as long as it was; one that shrinks ends the archive with an error.
  if (size === 0) entry.end();
  else await pipeline(createReadStream(join(root, path), { end: size - 1 }), entry);
}

async function packLink(archive: Pack, root: string, path: string): Promise<void> {
  const target = normalize(await readlink(join(root, path)));
  const leadsOut = target.startsWith("/") || normalize(join(dirname(path), target)).startsWith("..");
  if (leadsOut) return;
  archive.entry({ ...SAME_EVERYWHERE, name: path, type: "symlink", linkname: target, mode: 0o777 }).end();
}
